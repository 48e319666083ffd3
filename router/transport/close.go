package transport

import (
	"context"
	"io"
	"net"
	"time"
)

// A connection ends in two steps. A socket that is closed while its peer still sends is reset, and what the peer has not
// read by then is lost to it, such as the reason why it is disconnected. So first only our direction is closed; the rest
// is when the peer has closed its own, or has had time to.

// partingTime is how long a peer gets to read what was written last, and to close its direction.
const partingTime = 2 * time.Second

// hangUp closes our direction, or all of a connection that has no directions to close apart, and ends what reads from it.
func hangUp(nc net.Conn) {
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || nc.SetReadDeadline(time.Unix(1, 0)) != nil {
		nc.Close()
	}
}

// seeOff takes in what the peer of a connection that was hung up still sends, and closes it: when the peer has, when
// its time is over, or when ctx ends.
func seeOff(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	if nc.SetReadDeadline(time.Now().Add(partingTime)) == nil {
		io.Copy(io.Discard, nc)
	}
}
