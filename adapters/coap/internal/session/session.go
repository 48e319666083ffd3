// Package session is what a CoAP conversation is to the door, whichever transport carries it: whole requests come in,
// whole responses and notifications go out. Packages datagram (UDP and DTLS) and stream (TCP, TLS and WebSocket)
// implement it; what only concerns how bytes travel stays in them: message ids, acknowledgements, retransmission,
// deduplication, block-wise transfer, Echo, No-Response, pings and signals.
//
// A Session is pure: no goroutine, no lock, no clock. Whoever drives it calls it and its Handler under one lock.
package session

import (
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// Exchange names a request of a session until it has its response. It is never used again.
type Exchange uint64

// Request is a whole request: its body has been put together, and options that concern only its transport are gone.
type Request struct {
	Exchange Exchange
	Code     codes.Code
	Token    message.Token   // names an observation, together with its session; valid until the handler returns
	Options  message.Options // without Block1, Block2, Size1, Echo, Request-Tag and No-Response; valid until the handler returns
	Body     []byte          // valid until the handler returns
	Waits    bool            // its client waits for an outcome: CON, or a reliable transport. A NON is at most once
}

// Response is what a request or an observation gets.
type Response struct {
	Code    codes.Code
	Options message.Options // without those of the transport and without Observe; the session's until it is written
	Body    []byte          // the session's; cut into blocks as the client asks
}

// Handler is the door's side of one session. Its methods are called while the session is fed, advanced or flushed,
// and may call Respond, Observe, Notify and Forget.
type Handler interface {
	// Request is a new request. It is answered once with Respond or Observe, now or later.
	Request(now time.Time, r *Request)
	// Notified tells that a notification has been acknowledged, or written when it was not confirmable.
	Notified(now time.Time, token message.Token)
	// Forgotten tells that the client has no interest in an observation any more: it sent a Reset, did not acknowledge,
	// or deregistered (RFC 7641 sections 3.6 and 4.5). A notification that was under way was not delivered.
	Forgotten(now time.Time, token message.Token)
	// Disconnected tells that the session is over; it is called once, and nothing after it.
	Disconnected(now time.Time)
}

// Session is one peer's conversation.
type Session interface {
	// Respond answers a request and ends its exchange. One that is unknown, because its client has given up, is ignored.
	Respond(now time.Time, e Exchange, r Response)
	// Observe answers a request as Respond does and registers its token as an observation (RFC 7641 section 3.1).
	Observe(now time.Time, e Exchange, r Response)
	// Notify sends a notification; until Notified or Forgotten comes for its token, there must be no other. A response
	// whose code is not 2.xx ends the observation (RFC 7641 section 4.2).
	Notify(now time.Time, token message.Token, r Response, confirmable bool)
	// Forget ends an observation from this side without a word.
	Forget(token message.Token)
}
