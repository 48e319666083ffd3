package edge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

const jobs = protocol.Key("M0jobs")

func told(tr *Tracker) (all []string) {
	for n, ok := tr.NextTell(); ok; n, ok = tr.NextTell() {
		all = append(all, fmt.Sprintf("%d %s %t", n.Edge, string(n.News.Key), n.News.Reachable))
	}
	return all
}

func expect(t *testing.T, tr *Tracker, what string, want ...string) {
	t.Helper()
	if got := told(tr); !slices.Equal(got, want) {
		t.Errorf("%s\n got %q\nwant %q", what, got, want)
	}
}

func TestAnEdgeIsToldOfConsumersThatAreNotItsOwn(t *testing.T) {
	tr := NewTracker()
	tr.Attached(1, jobs, Send)
	expect(t, tr, "nobody consumes")
	tr.Consumers(jobs, 1)
	expect(t, tr, "a client of the interior does", "1 M0jobs true")
	tr.Reachable(jobs, true)
	tr.Consumers(jobs, 0)
	expect(t, tr, "now one at another router")
	tr.Reachable(jobs, false)
	expect(t, tr, "nobody any more", "1 M0jobs false")

	tr.Attached(1, jobs, Receive)
	expect(t, tr, "its own consumer is none to tell it of")
	tr.Attached(2, jobs, Send)
	expect(t, tr, "but to tell others of", "2 M0jobs true")
	tr.Attached(2, jobs, Receive)
	expect(t, tr, "theirs are to tell it of", "1 M0jobs true")
	tr.Detached(2, jobs, Receive)
	expect(t, tr, "theirs go", "1 M0jobs false")
	tr.Gone(1)
	expect(t, tr, "it goes", "2 M0jobs false")
	tr.Gone(2)
	if told(tr); len(tr.places)+len(tr.edges) > 0 {
		t.Errorf("%d addresses and %d edge routers are remembered", len(tr.places), len(tr.edges))
	}
}

func TestALinkThatIsAttachedAgainIsToldAgain(t *testing.T) {
	tr := NewTracker()
	tr.Reachable(jobs, true)
	tr.Attached(1, jobs, Send)
	expect(t, tr, "a link", "1 M0jobs true")
	tr.Detached(1, jobs, Send)
	tr.Attached(1, jobs, Send)
	expect(t, tr, "another one", "1 M0jobs true")
}

func TestTrackingAgreesWithCounting(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	tr := NewTracker()
	type end struct {
		edge EdgeID
		key  protocol.Key
	}
	keys := []protocol.Key{"M0a", "M0b"}
	sends, receives, told := make(map[end]int), make(map[end]int), make(map[end]bool)
	clients, reachable := make(map[protocol.Key]int), make(map[protocol.Key]bool)
	count := func(key protocol.Key) (n int) {
		for e, r := range receives {
			if e.key == key {
				n += r
			}
		}
		return n + clients[key]
	}
	for range 20_000 {
		e := end{EdgeID(random.IntN(3)), keys[random.IntN(2)]}
		switch random.IntN(7) {
		case 0:
			tr.Attached(e.edge, e.key, Send)
			sends[e]++
		case 1:
			if sends[e] > 0 {
				tr.Detached(e.edge, e.key, Send)
				sends[e]--
			}
		case 2:
			tr.Attached(e.edge, e.key, Receive)
			receives[e]++
		case 3:
			if receives[e] > 0 {
				receives[e]--
				tr.Detached(e.edge, e.key, Receive)
			}
		case 4:
			clients[e.key] = random.IntN(2)
			tr.Consumers(e.key, clients[e.key])
		case 5:
			reachable[e.key] = random.IntN(2) == 0
			tr.Reachable(e.key, reachable[e.key])
		default:
			if random.IntN(10) > 0 {
				break
			}
			for _, key := range keys {
				receives[end{e.edge, key}], sends[end{e.edge, key}] = 0, 0
			}
			tr.Gone(e.edge)
		}
		for n, ok := tr.NextTell(); ok; n, ok = tr.NextTell() {
			told[end{n.Edge, n.News.Key}] = n.News.Reachable
		}
		for at, n := range sends {
			if n == 0 {
				delete(told, at)
				continue
			}
			if want := reachable[at.key] || count(at.key) > receives[at]; told[at] != want {
				t.Fatalf("edge router %d was told %t of %s, want %t", at.edge, told[at], at.key, want)
			}
		}
	}
}
