package gateway

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"

	"github.com/manifoldmq/manifold/gateway/config"
)

// coapLimitCase is a setting that refuses the last of some requests.
type coapLimitCase struct {
	setting  string
	limit    func(*config.Config)
	requests func(*coapUser) []*pool.Message
	want     codes.Code
	option   message.OptionID // that the answer has
}

func coapLimitCases() []coapLimitCase {
	post := func(u *coapUser, path, body string, queries ...string) *pool.Message {
		return u.request(codes.POST, path, body, queries...)
	}
	observe := func(u *coapUser, path string) *pool.Message {
		request := u.request(codes.GET, path, "")
		request.SetObserve(0)
		return request
	}
	return []coapLimitCase{
		{"coap.maxObservations", func(c *config.Config) { c.CoAP.MaxObservations = 1 }, func(u *coapUser) []*pool.Message {
			return []*pool.Message{observe(u, "a/telemetry/1"), observe(u, "a/telemetry/2")}
		}, codes.TooManyRequests, message.MaxAge},
		{"coap.maxLocks", func(c *config.Config) { c.CoAP.MaxLocks = 1 }, func(u *coapUser) []*pool.Message {
			return []*pool.Message{post(u, "a/jobs", "1"), post(u, "q/jobs/head", ""), post(u, "q/jobs/head", "")}
		}, codes.TooManyRequests, message.MaxAge},
		{"maxMessageSize", func(c *config.Config) { c.Limits.MaxMessageSize = 1000 }, func(u *coapUser) []*pool.Message {
			return []*pool.Message{post(u, "a/jobs", strings.Repeat("x", 800)), post(u, "a/jobs", strings.Repeat("x", 1001))}
		}, codes.RequestEntityTooLarge, message.Size1},
		{"coap.maxBody", func(c *config.Config) { c.CoAP.MaxBody = 4000 }, func(u *coapUser) []*pool.Message {
			return []*pool.Message{post(u, "a/jobs", strings.Repeat("x", 4000)), post(u, "a/jobs", strings.Repeat("x", 4001))}
		}, codes.RequestEntityTooLarge, message.Size1},
		{"coap.maxPoll", func(c *config.Config) { c.CoAP.MaxPoll = time.Second }, func(u *coapUser) []*pool.Message {
			return []*pool.Message{post(u, "q/jobs/head", "", "timeout=0"), post(u, "q/jobs/head", "", "timeout=1.5")}
		}, codes.BadRequest, 0},
		{"coap.maxLockTime", func(c *config.Config) { c.CoAP.MaxLockTime = time.Minute }, func(u *coapUser) []*pool.Message {
			return []*pool.Message{post(u, "q/jobs/head", "", "timeout=0", "lock=60"), post(u, "q/jobs/head", "", "lock=61")}
		}, codes.BadRequest, 0},
		{"coap.queryCredentials", func(*config.Config) {}, func(u *coapUser) []*pool.Message {
			return []*pool.Message{post(u, "a/jobs", "x", "user=ann", "password=a")}
		}, codes.Unauthorized, 0},
	}
}

// TestCoAPNamesTheSettingThatRefuses: who comes to a limit hears which one, and what its code calls for.
func TestCoAPNamesTheSettingThatRefuses(t *testing.T) {
	for _, c := range coapLimitCases() {
		t.Run(c.setting, func(t *testing.T) {
			t.Parallel()
			settings := quickstart(t)
			c.limit(&settings)
			doors := startOn(t, vfs.NewMem(), settings, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			u := &coapUser{ctx: ctx, t: t, conn: dialCoAP(t, doors, "coap")}
			requests := c.requests(u)
			last := len(requests) - 1
			for i, r := range requests[:last] {
				if answer, text := u.do(r); answer.Code() >= codes.BadRequest {
					t.Fatalf("request %d is answered %v %q", i, answer.Code(), text)
				}
				if r.HasOption(message.Observe) { // a stop waits for who does not acknowledge its end
					defer endObservation(u.conn, r)
				}
			}
			answer, text := u.do(requests[last])
			if answer.Code() != c.want || !strings.Contains(text, c.setting) {
				t.Errorf("it is answered %v %q, want %v", answer.Code(), text, c.want)
			}
			if c.option != 0 && !answer.HasOption(c.option) {
				t.Errorf("the answer lacks %v", c.option)
			}
		})
	}
}

// TestMessageThatNobodySettlesInTime: its sender hears that this is not known yet, by which setting, and no yes.
func TestMessageThatNobodySettlesInTime(t *testing.T) {
	c := quickstart(t)
	c.CoAP.OutcomeTimeout = 10 * time.Millisecond
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	consumer := enterAMQP(t, doors)
	if _, err := consumer.attachReceiver("commands/x", new(goamqp.ReceiverOptions)); err != nil {
		t.Fatal(err)
	}
	u := &coapUser{ctx: consumer.ctx, t: t, conn: dialCoAP(t, doors, "coap")}
	if _, text := u.ask(codes.GatewayTimeout, codes.POST, "a/commands/x", "x"); !strings.Contains(text, "coap.outcomeTimeout") {
		t.Errorf("it is answered %q", text)
	}
}
