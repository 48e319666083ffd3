package udp

import (
	"net"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// batchSize is how many datagrams are read, or written, with one call of the system.
const batchSize = 64

// controlSize is room for the control message that says to which of our addresses a datagram was sent.
const controlSize = 64

// batch are datagrams to read or to write. It works for IPv4 and IPv6: the calls are the same, whatever the address family.
type batch struct {
	conn     *ipv4.PacketConn
	messages []ipv4.Message
	buffers  [][]byte
	count    int // of those to write
}

// newBatch makes room for datagrams of a size.
func newBatch(conn *net.UDPConn, size int) *batch {
	b := &batch{conn: ipv4.NewPacketConn(conn), messages: make([]ipv4.Message, batchSize), buffers: make([][]byte, batchSize)}
	for i := range b.messages {
		b.buffers[i] = make([]byte, size)
		b.messages[i].Buffers = [][]byte{b.buffers[i]}
	}
	return b
}

// withControl lets the messages that are read tell where they were sent to, if the socket listens on all addresses: the answer
// has to come from there, or who sent them does not know it. It does nothing where the system cannot tell.
func (b *batch) withControl(conn *net.UDPConn) {
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	var err error
	switch {
	case !local.IsUnspecified():
		return
	case local.Is4():
		err = b.conn.SetControlMessage(ipv4.FlagDst, true)
	default:
		err = ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst, true)
	}
	if err != nil {
		return
	}
	for i := range b.messages {
		b.messages[i].OOB = make([]byte, controlSize)
	}
}

// read waits for datagrams and gives those that are there.
func (b *batch) read() ([]ipv4.Message, error) {
	n, err := b.conn.ReadBatch(b.messages, 0)
	if err != nil {
		return nil, err
	}
	return b.messages[:n], nil
}

// next gives the buffer of the next datagram to write, and full tells that there is none.
func (b *batch) next() []byte { return b.buffers[b.count] }

func (b *batch) full() bool { return b.count == len(b.messages) }

// add adds a datagram to write.
func (b *batch) add(p []byte, to net.Addr, control []byte) {
	m := &b.messages[b.count]
	b.buffers[b.count] = append(b.buffers[b.count][:0], p...)
	m.Buffers[0], m.Addr, m.OOB = b.buffers[b.count], to, control
	b.count++
}

// write writes what was added. A datagram that the system refuses is as good as lost on the way: it is counted.
func (b *batch) write() (sent, unsent uint64) {
	for left := b.messages[:b.count]; len(left) > 0; {
		n, err := b.conn.WriteBatch(left, 0)
		if err != nil || n <= 0 {
			unsent++
			n = 1
		} else {
			sent += uint64(n)
		}
		left = left[n:]
	}
	b.count = 0
	return sent, unsent
}
