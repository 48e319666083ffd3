package http

import (
	nethttp "net/http"
	"testing"
	"testing/synctest"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

var gone = router.Errorf(router.Denied, "the home does not lend it any more")

func (d *door) watched() routertest.Receivers { return routertest.Links{Router: d.router}.Watch() }

// TestRevokedStreamEnds, also one that a client could come back to: there is nothing to come back for.
func TestRevokedStreamEnds(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		made := d.watched()
		h2 := d.newClient(true)
		defer h2.CloseIdleConnections()
		for _, client := range []struct {
			*nethttp.Client
			path string
		}{{d.client, "/v1/acme/news/%23/stream"}, {h2, "/v1/acme/news/%23/stream"}, {d.client, jobsStream}} {
			w := d.watch(t, client.Client, client.path)
			r := <-made
			r.Revoke(gone)
			if e := w.next(); e != (event{}) {
				t.Errorf("%s: %+v", client.path, e)
			}
			if err := w.lines.Err(); err != nil {
				t.Errorf("%s ends with %v", client.path, err)
			}
			w.body.Close()
			synctest.Wait()
			if _, open := d.router.Link("acme", r.Number()); open {
				t.Errorf("%s: its link stays", client.path)
			}
		}
	})
}

func TestSocketTellsOfARevokedSubscription(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		made := d.watched()
		b := d.browser(t, "/v1/acme/socket")
		defer b.conn.CloseNow()
		b.say(`{"op":"subscribe","id":1,"subscription":7,"address":"news/#"}`)
		b.hears(`{"id":1,"status":200}`)
		(<-made).Revoke(gone)
		b.hears(`{"subscription":7,"status":403,"reason":"denied","detail":"the home does not lend it any more"}`)
		d.do(503, "POST", "/v1/acme/news/a/messages", "for nobody")
		b.say(`{"op":"subscribe","id":2,"subscription":7,"address":"news/#"}`)
		b.hears(`{"id":2,"status":409,"reason":"conflict","detail":"there is a subscription 7 already"}`)
		b.say(`{"op":"unsubscribe","id":3,"subscription":7}`)
		b.hears(`{"id":3,"status":204}`)
		b.say(`{"op":"subscribe","id":4,"subscription":7,"address":"news/#"}`)
		b.hears(`{"id":4,"status":200}`)
	})
}

// TestSocketAnswersBeforeItRevokes: the client does not know of the subscription before.
func TestSocketAnswersBeforeItRevokes(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.router.Watch(revoking{})
		b := d.browser(t, "/v1/acme/socket")
		defer b.conn.CloseNow()
		b.say(`{"op":"subscribe","id":1,"subscription":7,"address":"news/#"}`)
		b.hears(`{"id":1,"status":200}`, `{"subscription":7,"status":403,"reason":"denied","detail":"the home does not lend it any more"}`)
	})
}

// revoking revokes receivers before their doors know them.
type revoking struct{}

func (revoking) Came(r *router.Receiver, _ []*addressing.Definition) { r.Revoke(gone) }
func (revoking) Went(*router.Receiver)                               {}

func TestSocketDoesNotRevokeWhatIsRefused(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.router.Serve(routertest.Fickle{Why: gone}, "fickle")
		b := d.browser(t, "/v1/acme/socket")
		defer b.conn.CloseNow()
		b.say(`{"op":"subscribe","id":1,"subscription":7,"address":"fickle"}`)
		b.hears(`{"id":1,"status":403,"reason":"denied","detail":"receiver from fickle: the home does not lend it any more"}`)
		b.say(`{"op":"subscribe","id":2,"subscription":7,"address":"news/#"}`)
		b.hears(`{"id":2,"status":200}`)
	})
}
