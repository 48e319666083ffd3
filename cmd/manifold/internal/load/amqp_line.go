package load

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// amqpLine is one AMQP connection with one session: our engine in its client role, on a socket of its own. The engine
// costs a tenth of a microsecond for a message, which is little beside a server.
//
// It is the engine's Handler too. Who embeds it has its own words to say to what happens on links.
type amqpLine struct {
	conn   net.Conn
	reader *batchReader

	mu       sync.Mutex // guards everything below; held while writing, so that frames keep their order
	fed      *sync.Cond // the engine was fed, or the connection is over
	engine   *engine.Conn
	session  *engine.Session
	attached int    // links
	fault    error  // why there is nothing more to expect from the connection
	out      []byte // what is being written
}

// amqpDoor is where a connection goes, and how it is read.
type amqpDoor struct {
	address            string
	username, password string
	source             net.Addr // nil lets the kernel choose
	buffer             int      // bytes that are read at once
	ahead              int      // bytes that may come before any of them is looked at
}

// amqpLimits are those of a client that trusts the server it measures.
func amqpLimits() *engine.Limits {
	l := engine.DefaultLimits()
	l.MaxMessageSize = 1 << 40
	l.MaxUnsettled = 1 << 20
	l.IncomingWindow = 1 << 20
	l.IdleTimeout = 0
	return &l
}

// open connects, lets the server know who this is and begins a session. Handler is who embeds l.
func (l *amqpLine) open(ctx context.Context, d amqpDoor, container string, handler engine.Handler) (err error) {
	conn, err := dial(ctx, d.address, d.source)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.reader = conn, newBatchReader(conn, d.buffer, d.ahead)
	l.fed = sync.NewCond(&l.mu)
	mechanism := engine.WithAnonymous("")
	if d.username != "" {
		mechanism = engine.WithPlain(d.username, d.password)
	}
	client := engine.Client{Mechanisms: []engine.Mechanism{mechanism}}
	l.engine = engine.NewClient(time.Now(), amqpLimits(), client, handler)
	l.engine.Open(frame.Open{ContainerID: container})
	if err := l.flush(); err != nil {
		return fmt.Errorf("open: %w", broken(err))
	}
	if err := l.await(ctx, func() bool { return l.engine.Remote() != nil }); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if l.session = l.engine.Begin(); l.session == nil {
		return errNoSession
	}
	return nil
}

// await reads until what has to come has come, before anybody listens. The caller holds the lock.
func (l *amqpLine) await(ctx context.Context, come func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTime, errNoAnswer)
	defer cancel()
	defer context.AfterFunc(ctx, l.close)()
	for !come() {
		p, err := l.reader.next()
		if err == nil {
			err = l.feed(p)
		}
		if err != nil {
			return cmp.Or(context.Cause(ctx), broken(err))
		}
	}
	return l.conn.SetDeadline(time.Time{})
}

// digest takes what a read gave, and answers it.
func (l *amqpLine) digest(p []byte, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.fed.Broadcast()
	if err != nil {
		l.fault = cmp.Or(l.fault, err)
		return l.fault
	}
	return l.feed(p)
}

// feed gives bytes to the engine, or, without any, the time; then it writes what that has for an answer.
func (l *amqpLine) feed(p []byte) error {
	now := time.Now()
	var err error
	if len(p) > 0 {
		err = l.engine.Feed(now, p)
	} else if due := l.engine.Deadline(); !due.IsZero() && !now.Before(due) {
		err = l.engine.Advance(now)
	}
	l.fault = cmp.Or(l.fault, err)
	return cmp.Or(l.flush(), l.fault)
}

// flush writes all that the engine has to say.
func (l *amqpLine) flush() error {
	for {
		l.out = l.engine.Flush(l.out[:0])
		if len(l.out) == 0 {
			return nil
		}
		if _, err := l.conn.Write(l.out); err != nil {
			return err
		}
	}
}

// farewell implements line with a close.
func (l *amqpLine) farewell() {
	if l.conn == nil {
		return
	}
	_ = l.conn.SetWriteDeadline(time.Now().Add(farewellTime)) // this ends a write that holds the lock, too
	l.mu.Lock()
	defer l.mu.Unlock()
	l.engine.Close(nil)
	_ = l.flush()
}

// close implements line.
func (l *amqpLine) close() {
	if l.conn != nil {
		l.conn.Close()
	}
}
