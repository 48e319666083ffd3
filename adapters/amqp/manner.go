package amqp

import (
	"runtime"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// Manner is how the door behaves where the standard leaves it open, or where clients of something else look for its words.
type Manner uint8

const (
	// OwnManner is that of this program.
	OwnManner Manner = iota
	// DispatchManner is that of Qpid Dispatch Router: an address that nobody may use is "Node not found"; transactions are
	// for those who are behind a link route; what a receiver has settled without a word is accepted; and what it has not
	// settled when it ends its link is modified, as its sender may then be told that somebody has seen it. A client may have itself
	// watched: see heartbeat.
	DispatchManner
)

// streamingLinks is the capability of one who takes streaming messages on links of their own, as routers do.
const streamingLinks codec.Symbol = "qd.streaming-links"

// lingers tells whether messages of a link that has ended still wait for somebody to take them.
func (m Manner) lingers() bool { return m == DispatchManner }

// withdraws tells whether credit is taken back from senders when nobody is there any more.
func (m Manner) withdraws() bool { return m == DispatchManner }

// tellsCredit tells whether credit is told as soon as there is more of it, for clients that send one message each time they are told.
// Otherwise it is told when that is worth a frame, or when a message has come to nothing.
func (m Manner) tellsCredit() bool { return m == DispatchManner }

// hearsHeartbeats tells whether clients may have themselves watched: see heartbeat.
func (m Manner) hearsHeartbeats() bool { return m == DispatchManner }

// introduce says in open, beside which program this is, where it runs; or the number of the connection, for those who compare the logs
// of both ends.
func (m Manner) introduce(properties *codec.MapWriter, connection uint64) {
	if m == DispatchManner {
		properties.Int("qd.conn-id", int32(connection))
		return
	}
	properties.String("platform", runtime.GOOS+"/"+runtime.GOARCH)
}

// capabilities gives what is offered beside the door's own, and what is desired.
func (m Manner) capabilities() (offered, desired []codec.Symbol) {
	if m != DispatchManner {
		return nil, nil
	}
	return []codec.Symbol{streamingLinks}, []codec.Symbol{relayCapability, streamingLinks}
}

// refusal tells a client why a link is refused.
func (m Manner) refusal(err error) *frame.Error {
	e := wire.Error(err)
	if m == DispatchManner && e.Condition == frame.NotFound {
		e.Description = "Node not found"
	}
	return e
}

// state tells a sender how a message has ended. In the manner of Dispatch a modified one has always failed.
func (m Manner) state(o router.Outcome) frame.State {
	s := wire.State(o)
	s.DeliveryFailed = s.DeliveryFailed || m == DispatchManner && s.Kind == frame.Modified
	return s
}

// unknown is the outcome of a message of a relay that goes to no address.
func (m Manner) unknown(err error) router.Outcome {
	reason := router.ReasonOf(err)
	if m == DispatchManner && reason == router.NotFound {
		return router.Reject(reason, "Deliveries cannot be sent to an unavailable address")
	}
	return router.Reject(reason, err.Error())
}

// coordinates tells whether the door has transactions, and what it says if not.
func (m Manner) coordinates() *frame.Error {
	if m != DispatchManner {
		return nil
	}
	return &frame.Error{
		Condition: frame.PreconditionFailed,
		Description: "The router can't coordinate transactions by itself, a linkRoute to a coordinator must be " +
			"configured to use transactions.",
	}
}

// silent is the outcome of a delivery that its receiver has settled without saying how.
func (m Manner) silent(otherwise *frame.State) *frame.State {
	if m == DispatchManner && (otherwise == nil || otherwise.Kind == frame.NoState) {
		return &frame.State{Kind: frame.Accepted}
	}
	return otherwise
}

// unsettled is how deliveries end that the client had not settled when the link ended. A client that ends it in order has not
// dealt with them and gives them back. With one that is lost, nobody knows.
func (m Manner) unsettled(d engine.Detachment) router.Outcome {
	if m == OwnManner && d.By == engine.ByPeer && d.Error == nil {
		return router.Release()
	}
	return router.Fail()
}

// dismissal tells a client why it is sent away.
func (m Manner) dismissal(why tenancy.Dismissal) string {
	if m == DispatchManner && why == tenancy.ByAdministrator {
		return "Connection forced-closed by management request"
	}
	return why.String()
}
