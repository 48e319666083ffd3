package coap

import (
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// FuzzRequest makes any request: each is answered, and none twice.
func FuzzRequest(f *testing.F) {
	f.Add(byte(codes.POST), "a/jobs", "ttl=1&property=a=b", uint16(message.ContentFormat), []byte{50}, []byte("x"))
	f.Add(byte(codes.GET), "a/telemetry/#::mine", "selector=a = 1", uint16(message.Observe), []byte{}, []byte{})
	f.Add(byte(codes.POST), "q/jobs/head", "timeout=0&lock=1&meta", uint16(message.Accept), []byte{60}, []byte{})
	f.Add(byte(codes.POST), "ps", "", uint16(message.ContentFormat), []byte{2, 94}, []byte("\xa2\x00\x65state\x02\x6ccore.ps.data"))
	f.Add(byte(codes.PUT), "t//d", "hono-ttd=1", uint16(message.MaxAge), []byte{1}, []byte("{}"))
	f.Add(byte(codes.POST), "cr/a/b/c", "hono-cmd-status=200", uint16(message.IfMatch), []byte{1, 2}, []byte{})
	f.Add(byte(codes.GET), ".well-known/core", "rt=core*", uint16(message.ETag), []byte{1}, []byte{})
	limits := DefaultLimits()
	limits.MaxPoll, limits.OutcomeTimeout = 10*time.Millisecond, 10*time.Millisecond
	h := newHouse(f, Config{Limits: limits, QueryCredentials: true})
	f.Fuzz(func(t *testing.T, code byte, path, query string, id uint16, value, body []byte) {
		p := h.dial()
		p.t = t
		defer func() { p.client.Disconnected(time.Now()) }()
		r := newRequest(codes.Code(code), path+"?"+query, string(body), func(r *session.Request) {
			r.Options = append(r.Options, message.Option{ID: message.OptionID(id), Value: value})
		})
		p.answer(p.send(r))
	})
}
