package datagram

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// Defects seen in other servers, each kept away by a test.

// prompt is a conversation whose handler answers each request at once with 2.04.
func prompt(t testing.TB) (c *conversation, handled *int) {
	c, handled = newConversation(t), new(int)
	c.silent = true
	c.answered = func(r *session.Request) {
		*handled++
		c.session.Respond(c.now, r.Exchange, session.Response{Code: codes.Changed})
	}
	return c, handled
}

func TestHundredThousandRequestsOfOneEndpointAreHandled(t *testing.T) {
	c, handled := prompt(t)
	datagram := encode(t, "CON POST id=1 token=01020304 Uri-Path=a | x")
	for i := range 100_000 {
		binary.BigEndian.PutUint16(datagram[2:], uint16(i))
		binary.BigEndian.PutUint32(datagram[4:], uint32(i))
		c.feed(datagram)
		if i%1000 == 0 {
			c.tick(time.Millisecond)
			c.feed(datagram) // a duplicate now and then
		}
		c.lines = nil
	}
	if *handled != 100_000 {
		t.Errorf("%d requests handled, want 100,000", *handled)
	}
	if len(c.sent) != 100_100 {
		t.Errorf("%d answers, want 100,100", len(c.sent))
	}
	if n := len(c.session.past.ring); n > c.shared.Limits.MaxRemembered {
		t.Errorf("%d requests remembered", n)
	}
	c.tick(c.shared.Limits.ExchangeLifetime)
	if !c.session.Idle() || !c.session.Deadline().IsZero() {
		t.Error("a silent peer still holds something after the lifetime of an exchange")
	}
}

func TestStuckRequestsDelayNobodyElse(t *testing.T) {
	c := newConversation(t)
	c.answered = func(r *session.Request) {
		if path, _ := r.Options.Path(); path == "/a" {
			c.session.Respond(c.now, r.Exchange, session.Response{Code: codes.Changed})
		}
	}
	for i := range 40 {
		c.feed(encode(t, fmt.Sprintf("CON POST id=%d token=%02x Uri-Path=stuck", i, i)))
	}
	c.feed(encode(t, "CON POST id=100 token=64 Uri-Path=a"))
	if len(c.sent) != 1 || decode(t, c.sent[0]).MessageID != 100 {
		t.Errorf("%d datagrams sent, want the answer to the last request", len(c.sent))
	}
}

func TestPacketIDsOfTheTwoDirectionsAreApart(t *testing.T) {
	c := newConversation(t)
	c.feed(encode(t, "CON GET id=1 token=61 Uri-Path=a Observe=0"))
	c.session.Observe(c.now, 1, session.Response{Code: codes.Content})
	c.session.Notify(c.now, message.Token("a"), session.Response{Code: codes.Content, Body: []byte("x")}, true)
	c.Take()
	// The client uses the very id that the server awaits an acknowledgement for.
	c.feed(encode(t, "CON POST id=7000 token=62 Uri-Path=b"))
	if lines := c.Take(); len(lines) != 1 {
		t.Errorf("the client's request did %q", lines)
	}
	if len(c.session.posts) != 1 {
		t.Error("the client's request acknowledged the notification")
	}
}

// TestSpoofedSourceGetsNoMoreThanThreeTimes sends whatever comes to mind in the name of somebody who does not answer.
func TestSpoofedSourceGetsNoMoreThanThreeTimes(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		c := newConversation(t)
		c.proven = false
		c.answered = func(r *session.Request) {
			answer := session.Response{Code: codes.Content, Body: noise(random.IntN(3000))}
			if r.Options.HasOption(message.Observe) {
				c.session.Observe(c.now, r.Exchange, answer)
				c.session.Notify(c.now, r.Token, answer, random.IntN(2) == 0)
			} else {
				c.session.Respond(c.now, r.Exchange, answer)
			}
		}
		for i := range 300 {
			kind := []string{"CON", "NON"}[random.IntN(2)]
			method := []string{"GET", "POST", "0.00", "FETCH"}[random.IntN(4)]
			line := fmt.Sprintf("%s %s id=%d", kind, method, random.IntN(100))
			if method != "0.00" {
				line += fmt.Sprintf(" token=%02x Uri-Path=%c", i%20, 'a'+random.IntN(3))
				line += []string{"", " Observe=0", " Block2=0/0/1024", " Block2=1/0/64"}[random.IntN(4)]
			}
			c.feed(encode(t, line))
			c.tick(time.Duration(random.IntN(3000)) * time.Millisecond)
			c.Take()
			sent := 0
			for _, p := range c.sent {
				sent += len(p)
			}
			if sent > 3*c.heard {
				t.Fatalf("seed %d: %d bytes sent for %d received, after %s", seed, sent, c.heard, line)
			}
		}
	}
}

// TestGuessedAcknowledgementsProveNothing: message ids have 16 bits, which may be tried.
func TestGuessedAcknowledgementsProveNothing(t *testing.T) {
	c := newConversation(t)
	c.proven = false
	c.feed(encode(t, "CON GET id=1 token=61 Uri-Path=a Observe=0"))
	c.session.Observe(c.now, 1, session.Response{Code: codes.Content})
	for id := range 65536 {
		c.feed(encode(t, fmt.Sprintf("ACK 0.00 id=%d", id)))
	}
	if c.session.Proven() {
		t.Error("who tries all message ids is taken for proven")
	}
}

func TestLimitsAreValidated(t *testing.T) {
	if err := DefaultLimits().Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Limits){
		"ackTimeout": func(l *Limits) { l.AckTimeout = 0 }, "ackRandomFactor": func(l *Limits) { l.AckRandomFactor = 0.5 },
		"nStart": func(l *Limits) { l.NStart = 0 }, "maxRemembered": func(l *Limits) { l.MaxRemembered = 1 << 17 },
		"maxExchanges": func(l *Limits) { l.MaxExchanges = 0 }, "block": func(l *Limits) { l.Block.BlockSize = 17 },
		"exchangeLifetime": func(l *Limits) { l.ExchangeLifetime = -1 }, "amplification": func(l *Limits) { l.Amplification = -1 },
	} {
		l := DefaultLimits()
		spoil(&l)
		if l.Validate() == nil {
			t.Errorf("%s out of range is taken", name)
		}
	}
}
