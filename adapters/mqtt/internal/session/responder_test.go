package session

import (
	"bytes"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// start is the time at which all sessions of these tests begin.
func start() time.Time { return time.Unix(1_800_000_000, 0) }

// responder is an owner that says yes to everything at once, and keeps counts instead of lines.
type responder struct {
	session    *Session
	silent     bool // it does not acknowledge publishes
	publishes  int
	receipts   []Receipt
	completed  []uint16
	settled    map[any]Settlement
	onPublish  func(Publish)
	connects   int
	disconnect []Disconnected
}

var _ Handler = (*responder)(nil)

func newResponder(limits *Limits) *responder {
	r := &responder{settled: map[any]Settlement{}}
	r.session = New(start(), limits, r)
	return r
}

// connectedResponder has got a client of that version through CONNECT, and its CONNACK flushed.
func connectedResponder(t testing.TB, version byte, change ...func(*packets.Packet)) *responder {
	limits := DefaultLimits()
	r := newResponder(&limits)
	r.mustFeed(t, connectBytes(t, version, change...))
	r.session.Flush(nil)
	return r
}

func connectBytes(t testing.TB, version byte, change ...func(*packets.Packet)) []byte {
	p := packets.Packet{ProtocolVersion: version}
	p.FixedHeader.Type = packets.Connect
	p.Connect = packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: "device", Clean: true, Keepalive: 60}
	for _, f := range change {
		f(&p)
	}
	return encodeAny(t, p)
}

func (r *responder) mustFeed(t testing.TB, b []byte) {
	t.Helper()
	if err := r.session.Feed(start(), bytes.Clone(b)); err != nil {
		t.Fatal(err)
	}
}

// flushed is everything that is to be written.
func (r *responder) flushed() (all []byte) {
	for {
		n := len(all)
		if all = r.session.Flush(all); len(all) == n {
			return all
		}
	}
}

func (r *responder) Connect(*Connect) {
	r.connects++
	r.session.AcceptConnect(Accept{Features: Features{Retain: true, Wildcards: true, SubscriptionIDs: true}})
}

func (r *responder) Publish(p Publish) {
	r.publishes++
	if r.onPublish != nil {
		r.onPublish(p)
	}
	if r.silent {
		r.receipts = append(r.receipts, p.Receipt)
		return
	}
	r.session.Acknowledge(p.Receipt, Success, "")
}

func (r *responder) Auth(Auth) {}

func (r *responder) Release(id uint16, known bool) { r.session.Complete(id, known) }

func (r *responder) Sending(uint16) {}

func (r *responder) Completed(id uint16) { r.completed = append(r.completed, id) }

func (r *responder) Subscribe(q Subscribe) {
	codes := make([]Reason, len(q.Filters))
	for i, f := range q.Filters {
		codes[i] = Reason(f.QoS)
		if f.Refusal != Success {
			codes[i] = f.Refusal
		}
	}
	r.session.SubAck(q.PacketID, codes, "")
}

func (r *responder) Unsubscribe(q Unsubscribe) {
	r.session.UnsubAck(q.PacketID, make([]Reason, len(q.Filters)), "")
}

func (r *responder) Settled(token any, s Settlement) {
	if r.settled == nil {
		return
	}
	if _, twice := r.settled[token]; twice {
		panic("a token was settled twice")
	}
	r.settled[token] = s
}

func (r *responder) Disconnected(d Disconnected) { r.disconnect = append(r.disconnect, d) }
