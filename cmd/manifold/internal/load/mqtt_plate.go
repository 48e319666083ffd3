package load

import (
	"encoding/binary"
	"strconv"
)

// plate is a printing plate: a batch of equal PUBLISH packets encoded once, of which only packet
// identifier, sequence number and time change from one print to the next, and the number at the topic's end if spread.
type plate struct {
	bytes    []byte
	frame    int // bytes per packet
	topicEnd int // offset of what follows the topic in a packet
	idAt     int // offset of the packet identifier in a packet; 0 for QoS 0
	payload  int // offset of the payload in a packet

	topics uint64 // how many the messages go to in turn; 0 for one, as encoded
	digits int    // of the number at the topic's end
}

func newPlate(count int, topic string, qos, payloadSize int, run, publisher uint32) *plate {
	one := []byte{packetPublish | byte(qos<<qosShift)}
	length := 2 + len(topic) + payloadSize
	if qos > 0 {
		length += 2
	}
	one = appendLength(one, length)
	one = appendString(one, topic)
	p := &plate{topicEnd: len(one)}
	if qos > 0 {
		p.idAt = len(one)
		one = append(one, 0, 0)
	}
	p.payload = len(one)
	one = appendPayload(one, payloadSize, run, publisher)
	p.frame = len(one)
	for range count {
		p.bytes = append(p.bytes, one...)
	}
	return p
}

// spread makes the messages go to topics in turn that differ in the number at their end. The topic of the plate ends
// with as many digits as the largest needs.
func (p *plate) spread(topics int) { p.topics, p.digits = uint64(topics), digitsFor(topics) }

// digitsFor is how wide the largest number below n is.
func digitsFor(n int) int { return len(strconv.Itoa(n - 1)) }

// print returns n packets numbered from sequence, borrowed until the next call.
func (p *plate) print(n int, sequence uint64, due schedule) []byte {
	for i := range n {
		packet := p.bytes[i*p.frame : (i+1)*p.frame]
		s := sequence + uint64(i)
		if p.topics > 0 {
			putNumber(packet[p.topicEnd-p.digits:p.topicEnd], s%p.topics)
		}
		if p.idAt > 0 {
			binary.BigEndian.PutUint16(packet[p.idAt:], packetIDOf(s))
		}
		number(packet[p.payload:], s, due.at(i))
	}
	return p.bytes[:n*p.frame]
}

// putNumber fills dst with n in decimal and leading zeros.
func putNumber(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = '0' + byte(n%10)
		n /= 10
	}
}

// packetIDOf gives message s its identifier: 1 to 65,535 in turn. No two messages of one window share one.
func packetIDOf(s uint64) uint16 { return uint16(s%maxWindow) + 1 }
