package coap

import (
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

func TestDiscoverySelectsByQuery(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		for query, want := range map[string]string{
			"rt=core.ps":         `</ps>;rt="core.ps core.ps.coll";ct=40`,
			"rt=core.ps.coll":    `</ps>;rt="core.ps core.ps.coll";ct=40`,
			"rt=core*":           `</ps>;rt="core.ps core.ps.coll";ct=40`,
			"rt=manifold.topic":  `</a/state>;rt="manifold.topic";if="manifold.messages";obs`,
			"href=/a/st*":        `</a/state>;rt="manifold.topic";if="manifold.messages";obs`,
			"href=/q/small/head": `</q/small/head>;rt="manifold.queue";if="manifold.head"`,
			"rt=manifold.queue&if=manifold.head&href=*jobs*": "",
			"colour=red": "",
		} {
			got := p.expect(codes.Content, codes.GET, ".well-known/core?"+query, "")
			if string(got.Body) != want || number(got, message.ContentFormat) != 40 {
				t.Errorf("%s selects %s, want %s", query, got.Body, want)
			}
		}
		p.expect(codes.NotAcceptable, codes.GET, ".well-known/core", "", option(message.Accept, 50))
		p.expect(codes.NotFound, codes.GET, ".well-known/other", "")
	})
}
