package engine_test

import (
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// printer is an owner that lets everybody in, accepts every link and prints what it receives. It serves both ends.
type printer struct{ conn *engine.Conn }

func (p *printer) Authenticate(engine.Authentication)       { p.conn.Admit(nil) }
func (p *printer) Opened(*frame.Open)                       { p.conn.Open(frame.Open{}) }
func (p *printer) Closed(engine.Ending)                     { fmt.Println("closed") }
func (p *printer) Begun(*engine.Session)                    {}
func (p *printer) Ended(*engine.Session, *frame.Error)      {}
func (p *printer) Attached(*engine.Link)                    {}
func (p *printer) Detached(*engine.Link, engine.Detachment) {}
func (p *printer) Drained(*engine.Link)                     {}

func (p *printer) Requested(l *engine.Link) {
	l.Accept(frame.Attach{})
	l.Grant(10)
}

func (p *printer) Sendable(l *engine.Link) {
	l.Send(engine.Delivery{Payload: amqp.AppendValueString(nil, "hello"), Token: "the first"})
}

func (p *printer) Received(l *engine.Link, x *engine.Transfer) {
	m, err := amqp.ParseMessage(append([]byte(nil), x.Payload...))
	fmt.Printf("received %v, %v\n", m.Body().Value().Value(), err)
	l.Settle(x.ID, frame.State{Kind: frame.Accepted})
}

func (p *printer) Progressed(_ *engine.Link, u engine.Update) {
	fmt.Println(u.Token, "is", u.Progress, "as", u.State.Kind)
}

// Example has a client send one message to a server. In life a transport carries the bytes.
func Example() {
	limits := engine.DefaultLimits()
	client, server := &printer{}, &printer{}
	client.conn = engine.NewClient(time.Now(), &limits, engine.Client{}, client)
	server.conn = engine.NewServer(time.Now(), &limits, engine.Server{ContainerID: "server"}, server)
	carry := func() {
		for range 4 {
			server.conn.Feed(time.Now(), client.conn.Flush(nil))
			client.conn.Feed(time.Now(), server.conn.Flush(nil))
		}
	}
	client.conn.Open(frame.Open{ContainerID: "client"})
	carry()
	session := client.conn.Begin()
	session.Attach(frame.Attach{Name: "a", Source: &frame.Source{}, Target: &frame.Target{Address: "orders"}})
	carry()
	client.conn.Close(nil)
	carry()
	// Output:
	// received hello, <nil>
	// the first is settled as accepted
	// closed
	// closed
}
