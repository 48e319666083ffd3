package engine

import "github.com/manifoldmq/manifold/router/amqp/frame"

// Trace shows somebody what is said on a connection. The functions are called by whoever drives the Conn.
type Trace struct {
	// Wanted tells whether to show anything now. It is asked for each Feed and Flush, so that it has to be quick.
	Wanted func() bool
	// Show is shown a protocol header or a whole frame, borrowed until it returns, in the order in which they are said. out are
	// ours, when they are about to be written; the others have been heard, and not been handled yet.
	Show func(unit []byte, out bool)
}

// SetTrace has what is said from now on shown.
func (c *Conn) SetTrace(t Trace) { c.trace = t }

// traces tells whether somebody wants to see what is said now.
func (c *Conn) traces() bool { return c.trace.Wanted != nil && c.trace.Wanted() }

// show shows what has been heard.
func (c *Conn) show(unit []byte) {
	if c.tracing {
		c.trace.Show(unit, false)
	}
}

// showWritten shows the protocol headers and frames in b, which are whole.
func (c *Conn) showWritten(b []byte) {
	for len(b) >= frame.HeaderSize {
		size := frame.HeaderSize
		if h, err := frame.ReadHeader(b); err == nil && !isProtocolHeader(b) {
			size = min(int(h.Size), len(b))
		}
		c.trace.Show(b[:size], true)
		b = b[size:]
	}
}

// isProtocolHeader tells a protocol header from a frame: one of that size would be larger than any peer takes.
func isProtocolHeader(b []byte) bool { return string(b[:4]) == "AMQP" }
