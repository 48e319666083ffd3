package http

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/manifoldmq/manifold/router"
)

// browser is a client of a socket.
type browser struct {
	t    *testing.T
	conn *websocket.Conn
}

func (d *door) browser(t *testing.T, path string) *browser {
	t.Helper()
	conn, _, err := d.dialPath(path, "", socketProtocol)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.Subprotocol(); got != socketProtocol {
		t.Errorf("subprotocol %q", got)
	}
	return &browser{t, conn}
}

func (b *browser) say(order string) {
	b.t.Helper()
	if err := b.conn.Write(context.Background(), websocket.MessageText, []byte(order)); err != nil {
		b.t.Fatal(err)
	}
}

// hears expects what comes next.
func (b *browser) hears(want ...string) {
	b.t.Helper()
	for _, want := range want {
		_, got, err := b.conn.Read(context.Background())
		if err != nil || string(got) != want {
			b.t.Fatalf("heard %s, %v, want %s", got, err, want)
		}
	}
}

// refused gives orders and expects that each is refused with a status and a detail.
func (b *browser) refused(status string, orders map[string]string) {
	b.t.Helper()
	for order, detail := range orders {
		b.say(order)
		_, got, err := b.conn.Read(context.Background())
		if err != nil || !strings.Contains(string(got), `"status":`+status) || !strings.Contains(string(got), detail) {
			b.t.Errorf("%s: heard %s, %v, want status %s and %q", order, got, err, status, detail)
		}
	}
}

// ends expects that the server ends the connection.
func (b *browser) ends(code websocket.StatusCode, reason string) {
	b.t.Helper()
	_, got, err := b.conn.Read(context.Background())
	if websocket.CloseStatus(err) != code || !strings.Contains(err.Error(), reason) {
		b.t.Errorf("heard %s, %v, want the end with %v and %q", got, err, code, reason)
	}
}

func TestSocketSendsAndReceives(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		b := d.browser(t, "/v1/acme/socket")
		defer b.conn.CloseNow()
		b.say(`{"op":"subscribe","id":1,"subscription":7,"address":"news/#"}`)
		b.hears(`{"id":1,"status":200}`)
		d.do(201, "POST", "/v1/acme/news/a/messages", "hello")
		b.hears(`{"subscription":7,"message":{"address":"news/a","body":"hello"}}`)
		b.say(`{"op":"send","id":2,"address":"jobs/a","message":{"body":"1","priority":9}}`)
		b.hears(`{"id":2,"status":201}`)
		b.say(`{"op":"subscribe","id":3,"subscription":8,"address":"jobs/a"}`)
		b.hears(`{"id":3,"status":200}`, `{"subscription":8,"message":{"address":"jobs/a","priority":9,"body":"1"}}`)
		b.say(`{"op":"unsubscribe","id":4,"subscription":7}`)
		b.hears(`{"id":4,"status":204}`)
		d.do(503, "POST", "/v1/acme/news/a/messages", "nobody listens")
		b.conn.Close(websocket.StatusNormalClosure, "")
		synctest.Wait()
		if got := d.jobs().outcomes(); len(got) != 1 || got[0] != router.Accept() || d.jobs().attached() != 0 {
			t.Error(got)
		}
	})
}

func TestSocketSettlesWithinItsCredit(t *testing.T) {
	inBubble(t, Limits{StreamWindow: 3}, func(t *testing.T, d *door) {
		b := d.browser(t, "/v1/acme/socket")
		defer b.conn.CloseNow()
		for _, body := range []string{"1", "2", "3", "4"} {
			d.do(201, "POST", "/v1/acme/jobs/a/messages", body)
		}
		message := func(delivery, attempts, body string) string {
			if attempts != "" {
				attempts = `"attempts":` + attempts + `,`
			}
			return `{"subscription":1,"delivery":` + delivery + `,"message":{"address":"jobs/a",` + attempts + `"body":"` + body + `"}}`
		}
		b.say(`{"op":"subscribe","id":1,"subscription":1,"address":"jobs/a","credit":2,"settle":true}`)
		b.hears(`{"id":1,"status":200}`, message("1", "", "1"), message("2", "", "2"))
		b.refused("429", map[string]string{`{"op":"credit","id":2,"subscription":1,"credit":2}`: "http.streamWindow"})
		b.say(`{"op":"settle","id":3,"delivery":1,"outcome":"accepted"}`)
		b.hears(`{"id":3,"status":204}`)
		b.say(`{"op":"settle","id":4,"delivery":2,"outcome":"modified"}`)
		b.hears(`{"id":4,"status":204}`)
		b.say(`{"op":"credit","id":5,"subscription":1,"credit":1}`)
		b.hears(`{"id":5,"status":204}`, message("3", "1", "2"))
		b.refused("404", map[string]string{
			`{"op":"settle","id":6,"delivery":2,"outcome":"accepted"}`: "no such delivery",
			`{"op":"credit","id":6,"subscription":2,"credit":1}`:       "no subscription 2",
			`{"op":"unsubscribe","id":6,"subscription":2}`:             "no subscription 2",
		})
		b.say(`{"op":"unsubscribe","id":7,"subscription":1}`)
		b.hears(`{"id":7,"status":204}`)
		b.refused("404", map[string]string{`{"op":"settle","id":8,"delivery":3,"outcome":"accepted"}`: "has ended"})
		b.say(`{"op":"subscribe","id":9,"subscription":1,"address":"jobs/a","settle":true}`)
		b.hears(`{"id":9,"status":200}`, message("4", "2", "2"), message("5", "", "3"), message("6", "", "4"))
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "5")
		b.say(`{"op":"settle","id":10,"delivery":5,"outcome":"released"}`) // which makes room for one more
		b.hears(message("7", "", "5"), `{"id":10,"status":204}`)
	})
}

func TestSocketRefusesOrders(t *testing.T) {
	inBubble(t, Limits{MaxBatch: 1}, func(t *testing.T, d *door) {
		b := d.browser(t, "/v1/acme/socket")
		defer b.conn.CloseNow()
		b.refused("400", map[string]string{
			`x`:            `"id":0`,
			`{"id":1}`:     "op",
			`{"op":"fly"}`: "op",
			`{"op":"send","address":"a/#","message":{}}`:                                        "filter",
			`{"op":"send","address":"jobs/a"}`:                                                  "JSON",
			`{"op":"send","address":"jobs/a","message":{"boddy":1}}`:                            "boddy",
			`{"op":"subscribe","address":"#/a"}`:                                                "#",
			`{"op":"subscribe","address":"jobs/a","selector":"a ="}`:                            "selector",
			`{"op":"settle","delivery":1,"outcome":"eaten"}`:                                    "outcome",
			`{"op":"settle","outcome":"rejected","reason":"` + strings.Repeat("x", 1025) + `"}`: "1024",
		})
		b.refused("503", map[string]string{`{"op":"send","address":"cmd/a","message":{}}`: "nobody"})
		b.say(`{"op":"subscribe","id":1,"subscription":1,"address":"news/a"}`)
		b.hears(`{"id":1,"status":200}`)
		b.refused("409", map[string]string{
			`{"op":"subscribe","subscription":1,"address":"news/b"}`: "already",
			`{"op":"credit","subscription":1,"credit":1}`:            "by itself",
		})
		b.refused("429", map[string]string{`{"op":"subscribe","subscription":2,"address":"news/b"}`: "http.maxBatch"})
	})
}

func TestSocketIsRefusedAndEnded(t *testing.T) {
	inBubble(t, Limits{HeaderTimeout: 5 * time.Second, PingAfter: 20 * time.Second, PingTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		if _, answer, err := d.dialPath("/v1/acme/socket", "https://evil.example"); err == nil || answer.StatusCode != 403 {
			t.Errorf("a page of another origin: %v", err)
		}
		closed := d.browser(t, "/v1/closed/socket")
		closed.say(`{"op":"connect","user":"ann","password":"wrong"}`)
		closed.ends(websocket.StatusPolicyViolation, "credentials")
		open := d.browser(t, "/v1/acme/socket")
		open.say(`{"op":"connect","id":1}`)
		open.hears(`{"id":1,"status":200}`)
		silent := d.browser(t, "/v1/acme/socket")
		began := time.Now()
		_, _, err := silent.conn.Read(context.Background())
		if took := time.Since(began); err == nil || took != 5*time.Second {
			t.Errorf("ended after %v: %v", took, err)
		}
		pass(30 * time.Second) // the open one does not read, so it answers no ping
		synctest.Wait()
		if _, _, err := open.conn.Read(context.Background()); err == nil {
			t.Error("the client that answers no ping is still there")
		}
		last := d.browser(t, "/v1/acme/socket")
		last.say(`{"op":"connect"}`)
		last.hears(`{"id":0,"status":200}`)
		d.stop()
		last.ends(websocket.StatusGoingAway, "stopping")
	})
}

func TestSocketWaitsForOutcomesBesideOtherOrders(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		c, r := d.consume("acme", "cmd/a")
		defer r.Close()
		b := d.browser(t, "/v1/acme/socket")
		defer b.conn.CloseNow()
		b.say(`{"op":"send","id":1,"address":"cmd/a","message":{}}`)
		held := <-c
		b.say(`{"op":"send","id":2,"address":"jobs/a","message":{}}`)
		b.hears(`{"id":2,"status":201}`)
		held.Settle(router.Reject(router.TooLarge, "for me"))
		b.hears(`{"id":1,"status":413,"reason":"too large","detail":"for me"}`)
	})
}
