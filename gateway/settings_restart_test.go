package gateway

import (
	"context"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/gateway/config"
)

// lives are those of a gateway with a queue "q" that begins and ends several times, with the same data.
type lives struct {
	files  *vfs.MemFS
	config config.Config
}

func newLives(t *testing.T, setting string) lives {
	t.Helper()
	return lives{vfs.NewMem(), addresses(t, "queue", setting)}
}

// live is one of them, in which somebody does something over a protocol.
func (l lives) live(t *testing.T, protocol string, do func(settled)) {
	t.Helper()
	if !t.Run("over "+protocol, func(t *testing.T) {
		do(newSettled(t, protocol, startOn(t, l.files, l.config, slog.New(slog.DiscardHandler))))
	}) {
		t.FailNow()
	}
}

// between works on what is stored between two of them.
func (l lives) between(t *testing.T, do func(*broker.Broker) (int, error)) (count int) {
	t.Helper()
	b, err := broker.Open(broker.Options{Dir: l.config.DataDir, FS: l.files, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := l.config
	c.Tenants = c.AllTenants()
	directory, err := newDirectory(&c)
	if err != nil {
		t.Fatal(err)
	}
	tenant, _ := directory.Lookup("default")
	b.Define(tenant)
	if count, err = do(b); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return count
}

// TestDedupWindowSurvivesARestart: who did not hear the answer before the gateway went down may send again after it.
func TestDedupWindowSurvivesARestart(t *testing.T) {
	for _, protocol := range []string{amqp1, httpSend, stomp12} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			l := newLives(t, "dedupWindow: {messages: 10}")
			l.live(t, protocol, func(s settled) { s.sends(note{body: "1", id: "x"}, note{body: "2", id: "y"}) })
			l.live(t, protocol, func(s settled) { s.takes("q", "1", "2") })
			l.live(t, protocol, func(s settled) {
				s.sends(note{body: "again", id: "x"}, note{body: "again", id: "y"}, note{body: "3", id: "z"})
				s.takes("q", "3")
			})
		})
	}
}

// TestQueuesAreLookedAfter: what an operator does with messages of one protocol is seen over another one.
func TestQueuesAreLookedAfter(t *testing.T) {
	none, all := context.Background(), broker.Selection{}
	for _, c := range []struct {
		name  string
		do    func(*broker.Broker) (int, error)
		count int
		q     []string // what is in the queues then
		late  []string
		dead  []string
	}{
		{"purge", func(b *broker.Broker) (int, error) { return b.Purge(none, "default", "q", all) },
			2, nil, nil, []string{"rejected"}},
		{"move", func(b *broker.Broker) (int, error) { return b.Move(none, "default", "q", "late", all) },
			2, nil, []string{"1", "2"}, []string{"rejected"}},
		{"copy", func(b *broker.Broker) (int, error) {
			return b.Copy(none, "default", "q", "late", broker.Selection{Max: 1})
		},
			1, []string{"1", "2"}, []string{"1"}, []string{"rejected"}},
		{"replay", func(b *broker.Broker) (int, error) { return b.Replay(none, "default", "dead", all) },
			1, []string{"1", "2", "rejected"}, nil, nil},
	} {
		for from, to := range map[string]string{amqp1: httpSend, httpSend: stomp12, stomp12: amqp1} {
			t.Run(c.name+" from "+from+" to "+to, func(t *testing.T) {
				t.Parallel()
				l := newLives(t, "deadLetter: dead")
				l.live(t, from, func(s settled) {
					s.sends(note{body: "rejected"})
					link := s.consumer()
					m := s.other.amqpUser.receive(link)
					s.does(func() error { return link.RejectMessage(s.other.ctx, m, nil) })
					s.leaves(link)
					s.sends(note{body: "1"}, note{body: "2"})
				})
				if got := l.between(t, c.do); got != c.count {
					t.Errorf("it was done with %d messages, want %d", got, c.count)
				}
				l.live(t, to, func(s settled) {
					s.takes("q", c.q...)
					s.takes("late", c.late...)
					s.takes("dead", c.dead...)
				})
			})
		}
	}
}
