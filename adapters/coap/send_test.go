package coap

import (
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

func TestOutcomesOfAPostHaveTheCodesOfTheTable(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/jobs", "x")
		p.expect(codes.Changed, codes.POST, "a/telemetry/a", "nobody listens")
		p.expect(codes.ServiceUnavailable, codes.POST, "a/alerts", "nobody listens")
		p.expect(codes.NotFound, codes.POST, "a/unknown", "x")
		p.expect(codes.BadRequest, codes.POST, "a/", "no address")
		p.expect(codes.BadRequest, codes.POST, "a/jobs?colour=red", "a query that nobody knows")
		p.expect(codes.NotImplemented, codes.POST, "a/alerts?delay=5", "kept by nobody")
		p.expect(codes.Changed, codes.POST, "a/full", "x")
		full := p.expect(codes.TooManyRequests, codes.POST, "a/full", "y")
		if number(full, message.MaxAge) != 1 {
			t.Errorf("4.29 with Max-Age %d, want 1", number(full, message.MaxAge))
		}
		large := p.expect(codes.RequestEntityTooLarge, codes.POST, "a/small", string(make([]byte, 201)))
		if number(large, message.Size1) != 200 {
			t.Errorf("4.13 with Size1 %d, want 200", number(large, message.Size1))
		}
		p.expect(codes.RequestEntityTooLarge, codes.POST, "a/small", string(make([]byte, 199))) // with what it is wrapped in
		p.expect(codes.MethodNotAllowed, codes.DELETE, "a/jobs", "")
		p.expect(codes.MethodNotAllowed, codePATCH, "a/jobs", "")
		p.expect(codes.MethodNotAllowed, codeIPATCH, "a/jobs", "")
		p.expect(codes.NotFound, codes.GET, "nowhere", "")
		p.expect(codes.BadOption, codes.POST, "a/jobs", "x", option(9, 1))
		p.expect(codes.ProxyingNotSupported, codes.POST, "a/jobs", "x", option(message.ProxyURI, 'x'))
	})
}

func TestPostIsAnsweredWhenItsConsumerHasSettled(t *testing.T) {
	run(t, Config{}, func(h *house) {
		consumer := h.links.Receiver("command/d/req/#", 10)
		p := h.dial()
		for _, c := range []struct {
			o    router.Outcome
			want codes.Code
		}{
			{router.Accept(), codes.Changed}, {router.Release(), codes.ServiceUnavailable}, {router.Fail(), codes.ServiceUnavailable},
			{router.Reject(router.Malformed, "no"), codes.BadRequest}, {router.Reject(router.Conflict, "no"), codeConflict},
		} {
			e := p.send(newRequest(codes.POST, "a/command/d/req/1/x", "go"))
			d := consumer.Next()
			if _, early := p.answers[e]; early {
				t.Fatal("answered before the outcome")
			}
			d.Settle(c.o)
			if got := p.answer(e); got.Code != c.want {
				t.Errorf("%v is answered %s %q, want %s", c.o, dotted(got.Code), got.Body, dotted(c.want))
			}
		}
		late := p.send(newRequest(codes.POST, "a/command/d/req/1/x", "go"))
		d := consumer.Next()
		if got := p.answer(late); got.Code != codes.GatewayTimeout {
			t.Errorf("after the timeout it is %s, want 5.04", dotted(got.Code))
		}
		d.Settle(router.Accept()) // the client has heard enough
		p.expect(codes.NotFound, codes.GET, "a/state", "")
	})
}

func TestUnconfirmedMessageIsSentAtMostOnce(t *testing.T) {
	run(t, Config{}, func(h *house) {
		consumer := h.links.Receiver("command/d/req/#", 1)
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/command/d/req/1/x", "x", unconfirmed) // which nobody has settled
		if d := consumer.Next(); d.Owned() {
			t.Error("somebody waits for the outcome of a NON")
		}
		p.expect(codes.NotFound, codes.POST, "a/unknown", "x", unconfirmed)
		if n := h.server.Refused(router.NotFound); n != 1 {
			t.Errorf("%d counted, want 1", n)
		}
	})
}

func TestFieldsReachTheMessageAndComeBack(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/jobs?message-id=m&correlation-id=amqp-ulong:7&reply-to=replies&subject=s&group-id=g"+
			"&priority=7&property=a=b=c&property=n=&ttl=60", `{}`, option(message.ContentFormat, 50))
		got := p.expect(codes.Content, codes.POST, "q/jobs/head?meta", "")
		want := "address=jobs/message-id=m/correlation-id=amqp-ulong:7/reply-to=replies/subject=s/group-id=g/priority=7/property=a=b=c/property=n="
		if queries := value(got, message.LocationQuery); queries != want {
			t.Errorf("fields %s, want %s", queries, want)
		}
		if number(got, message.ContentFormat) != 50 || number(got, message.MaxAge) != 60 || string(got.Body) != "{}" {
			t.Errorf("got %v %q", got.Options, got.Body)
		}
		consumer := h.links.Receiver("jobs/typed", 1)
		p.expect(codes.Changed, codes.POST, "a/jobs/typed", "x", option(message.ContentFormat, 0xFD, 0xE8))
		fields, err := consumer.Next().Message.Properties()
		if err != nil || formatOf(fields.ContentType, "") != 65000 {
			t.Errorf("the format of nobody's became %q, %v", fields.ContentType, err)
		}
	})
}

func TestBodiesOfAMQPAreJSON(t *testing.T) {
	run(t, Config{}, func(h *house) {
		b, err := amqp.AppendValue(nil, amqp.Map{{Key: "a", Value: int32(1)}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := amqp.ParseMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		producer := h.links.Sender("jobs")
		producer.Link.Send(0, router.Delivery{Message: m})
		producer.Accepted(1)
		p := h.dial()
		got := p.expect(codes.Content, codes.DELETE, "q/jobs/head", "")
		if string(got.Body) != `{"a":1}` || number(got, message.ContentFormat) != 50 {
			t.Errorf("got %v %q", got.Options, got.Body)
		}
	})
}

func TestEveryReasonHasACode(t *testing.T) {
	for r, a := range answers {
		if a.code == 0 {
			t.Errorf("%v has none", router.Reason(r))
		}
	}
}

func TestFormatsGoBothWays(t *testing.T) {
	for n := range formats {
		if got := formatOf(contentOf(n)); got != n {
			t.Errorf("%d became %d", n, got)
		}
	}
	for contentType, want := range map[string]int{
		"": noFormat, "text/plain": 0, "text/plain;charset=UTF-8": 0, `text/plain; charset="us-ascii"`: 0,
		"text/plain; charset=iso-8859-1": noFormat, "application/json; charset=utf-8": 50, "TEXT/CSS": 20000,
		"text/html": noFormat, unlisted + "99999": 42,
		`application/cose;cose-type="cose-mac"`: 97,
	} {
		if got := formatOf(contentType, ""); got != want {
			t.Errorf("%q is %d, want %d", contentType, got, want)
		}
	}
	if formatOf("application/json", "gzip") != noFormat || formatOf("application/cbor", "deflate") != 11060 {
		t.Error("an encoding is not looked at")
	}
}

func TestConditionsAreAboutWhatATopicHasKept(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.PreconditionFailed, codes.PUT, "a/state", "1", option(message.IfMatch))
		p.expect(codes.Changed, codes.PUT, "a/state", "1", option(message.IfNoneMatch))
		p.expect(codes.PreconditionFailed, codes.PUT, "a/state", "2", option(message.IfNoneMatch))
		tag := value(p.expect(codes.Content, codes.GET, "a/state", ""), message.ETag)
		p.expect(codes.Valid, codes.GET, "a/state", "", option(message.ETag, []byte(tag)...))
		p.expect(codes.Changed, codes.PUT, "a/state", "2", option(message.IfMatch, []byte(tag)...))
		p.expect(codes.PreconditionFailed, codes.PUT, "a/state", "3", option(message.IfMatch, []byte(tag)...))
		p.expect(codes.Content, codes.GET, "a/state", "", option(message.ETag, []byte(tag)...))
		p.expect(codes.PreconditionFailed, codes.POST, "a/jobs", "x", option(message.IfNoneMatch))
	})
}

func TestPutIsKeptByATopicAndPostIsNot(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/state", "event")
		p.expect(codes.NotFound, codes.GET, "a/state", "")
		p.expect(codes.Changed, codes.PUT, "a/state", "on", option(message.ContentFormat))
		got := p.expect(codes.Content, codes.GET, "a/state", "")
		if string(got.Body) != "on" || number(got, message.ContentFormat) != 0 {
			t.Errorf("got %v %q", got.Options, got.Body)
		}
		p.expect(codes.NotAcceptable, codes.GET, "a/state", "", option(message.Accept, 50))
		p.expect(codes.MethodNotAllowed, codes.GET, "a/jobs", "")
		p.expect(codes.NotFound, codes.GET, "a/unknown", "")
	})
}

func TestLongLineOfSendersClosesThoseThatAreIdle(t *testing.T) {
	run(t, with(func(l *Limits) { l.MaxSenders = 2 }), func(h *house) {
		p := h.dial()
		for _, address := range []string{"jobs/1", "jobs/2", "jobs/3", "jobs/1"} {
			p.expect(codes.Changed, codes.POST, "a/"+address, "x")
		}
		if n := len(p.client.(*conn).accounts[0].senders); n != 2 {
			t.Errorf("%d senders, want 2", n)
		}
		p.client.Disconnected(time.Now())
		if got := h.links.Receiver("jobs/3", 1).Next(); routertest.Body(got) != "x" {
			t.Errorf("got %q", routertest.Body(got))
		}
	})
}

// TestLinksEndWithTheSession: also those whose messages have no outcome yet, which comes to nobody then.
func TestLinksEndWithTheSession(t *testing.T) {
	run(t, Config{}, func(h *house) {
		consumer := h.links.Receiver("command/d/req/#", 10)
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/jobs", "x")
		p.send(newRequest(codes.POST, "a/command/d/req/1/x", "go"))
		d := consumer.Next()
		p.client.Disconnected(time.Now())
		d.Settle(router.Accept())
		if links := h.links.Router.Links("default", 0, 10); len(links) != 1 || links[0].Sends {
			t.Errorf("links %+v, want the consumer's only", links)
		}
	})
}
