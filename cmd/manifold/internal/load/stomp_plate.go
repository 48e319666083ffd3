package load

import "strconv"

// stompPlate is a plate of SEND frames: only receipt, sequence number and time change from one print to the next.
type stompPlate struct {
	bytes     []byte
	frame     int // octets per frame
	receiptAt int // offset of the receipt's digits in a frame; 0 without receipts
	payload   int // offset of the payload in a frame
}

// receiptDigits are what the highest number of a receipt has.
const receiptDigits = len("65534")

func newSTOMPPlate(count int, c Config, destination string, run, publisher uint32) *stompPlate {
	p := &stompPlate{}
	one := appendSTOMPHeader([]byte("SEND\n"), "destination", destination)
	if c.Durable {
		one = append(one, "persistent:true\n"...)
	}
	if c.PublishQoS == 1 {
		one = append(one, "receipt:"...)
		p.receiptAt = len(one)
		one = append(one, make([]byte, receiptDigits)...)
		one = append(one, '\n')
	}
	one = append(one, "content-length:"+strconv.Itoa(c.PayloadSize)+"\n\n"...)
	p.payload = len(one)
	one = append(appendPayload(one, c.PayloadSize, run, publisher), 0)
	p.frame = len(one)
	for range count {
		p.bytes = append(p.bytes, one...)
	}
	return p
}

// print returns n frames numbered from sequence, borrowed until the next call. A receipt is the number modulo maxWindow:
// no two messages of one window share one.
func (p *stompPlate) print(n int, sequence uint64, due schedule) []byte {
	for i := range n {
		frame := p.bytes[i*p.frame : (i+1)*p.frame]
		s := sequence + uint64(i)
		if p.receiptAt > 0 {
			putNumber(frame[p.receiptAt:p.receiptAt+receiptDigits], s%maxWindow)
		}
		number(frame[p.payload:p.frame-1], s, due.at(i))
	}
	return p.bytes[:n*p.frame]
}
