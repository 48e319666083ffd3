package coap

import (
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

func sensor(p *session.Peer) { p.Secure, p.PSKIdentity = true, "sensor@acme" }

func TestFormsOfHonoReachTheAddressesOfDevices(t *testing.T) {
	for _, c := range []struct {
		uri, want string
		code      codes.Code
		known     bool
	}{
		{"t", "telemetry/sensor", codes.Changed, true},
		{"telemetry", "telemetry/sensor", codes.Changed, true},
		{"e", "event/sensor", codes.Changed, true},
		{"event//4712", "event/4712", codes.Changed, true},
		{"t/default/4711", "telemetry/4711", codes.Changed, false},
		{"event/default/4711", "event/4711", codes.Changed, false},
		{"t", "", codes.Forbidden, false},
		{"t/default", "", codes.NotFound, false},
		{"t/default/a/b", "", codes.NotFound, false},
		{"cr/17?hono-cmd-status=200", "command/sensor/res/17/200", codes.Changed, true},
		{"command_response//4712/17?hono-cmd-status=404", "command/4712/res/17/404", codes.Changed, true},
		{"cr/default/4711/17?hono-cmd-status=200", "command/4711/res/17/200", codes.Changed, false},
		{"cr/17?hono-cmd-status=99", "", codes.BadRequest, true},
		{"cr/17", "", codes.BadRequest, true},
	} {
		run(t, Config{}, func(h *house) {
			links := h.links
			change := []func(*session.Peer){}
			if c.known {
				change = append(change, sensor)
				principal, err := h.server.config.Directory.ByPreSharedKey(tenancy.Visitor{}, "sensor@acme")
				if err != nil {
					t.Fatal(err)
				}
				links.User = principal
			}
			var consumer *routertest.Consumer
			if c.want != "" {
				consumer = links.Receiver(c.want, 1)
			}
			p := h.dial(change...)
			p.expect(c.code, codes.POST, c.uri, "{}", option(message.ContentFormat, 50))
			if consumer != nil {
				if got := routertest.Body(consumer.Next()); got != "{}" {
					t.Errorf("%s brings %q", c.uri, got)
				}
			}
		})
	}
}

func TestEmptyMessageOfADeviceSaysWhatItIs(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.BadRequest, codes.PUT, "e/default/d", "")
		p.expect(codes.BadRequest, codes.PUT, "e/default/d?empty", "x")
		consumer := h.links.Receiver("event/d", 1)
		p.expect(codes.Changed, codes.PUT, "e/default/d?empty&hono-time", "")
		if fields, _ := consumer.Next().Message.Properties(); fields.ContentType != emptyNotification {
			t.Errorf("content type %q", fields.ContentType)
		}
	})
}

func TestDeviceGetsACommandInItsAnswer(t *testing.T) {
	run(t, Config{}, func(h *house) {
		application := h.links.Receiver("telemetry/d", 1)
		p := h.dial()
		e := p.send(newRequest(codes.PUT, "t/default/d?hono-ttd=10", "x"))
		d := application.Next()
		if ttd, _ := d.Message.ApplicationProperty("ttd"); ttd != "10" {
			t.Errorf("ttd %v, want 10", ttd)
		}
		commander := h.links.Sender("command/d/req/17/blink")
		commander.Link.Send(0, routertest.Text("twice"))
		got := p.answer(e)
		if got.Code != codes.Changed || string(got.Body) != "twice" ||
			value(got, message.LocationQuery) != "hono-command=blink" || value(got, message.LocationPath) != "cr/default/d/17" {
			t.Errorf("%s %q %v", dotted(got.Code), got.Body, got.Options)
		}
		commander.Accepted(1)

		begun := time.Now()
		if got := p.expect(codes.Changed, codes.PUT, "telemetry/default/d?hono-ttd=10", "x"); len(got.Body) > 0 {
			t.Errorf("got %q", got.Body)
		}
		if took := time.Since(begun); took < 10*time.Second {
			t.Errorf("it waited %v", took)
		}
		p.expect(codes.Changed, codes.PUT, "t/default/$other?hono-ttd=1", "x")
		if !p.client.Idle() {
			t.Error("it is not idle")
		}
	})
}

func TestCommandThatWantsNoAnswerHasNoID(t *testing.T) {
	m, err := amqp.ParseMessage(amqp.AppendData(nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{
		"command/d/req//blink":   "command hono-command=blink",
		"command/d/req/17/blink": "command_response/17 hono-command=blink",
		"command/d/req":          "command hono-command=subject",
	} {
		delivery := routertest.Text("")
		delivery.Message, delivery.To = m, addressing.Address(to)
		d := device{name: "d", long: true}
		f := d.framing(&delivery, "subject")
		if got := f.location + " " + f.queries[0]; got != want {
			t.Errorf("%s is %s, want %s", to, got, want)
		}
	}
}
