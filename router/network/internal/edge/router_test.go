package edge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// hand plays the clients of an edge router and its interior routers.
type hand struct {
	t   *testing.T
	r   *Router
	now time.Time
}

func newHand(t *testing.T) *hand {
	return &hand{t: t, r: New(Times{}), now: time.Unix(1000, 0)}
}

func addressOf(name string) protocol.Address {
	return protocol.Address{Key: protocol.MobileKey(0, name), Treatment: protocol.Balanced}
}

func (h *hand) consumers(name string, n int) { h.r.Consumers(addressOf(name), n, h.now) }
func (h *hand) producers(name string, n int) { h.r.Producers(addressOf(name), n, h.now) }
func (h *hand) hears(name string, reachable bool) {
	h.r.Heard(News{Key: addressOf(name).Key, Reachable: reachable})
}

func (h *hand) pass(d time.Duration) {
	h.now = h.now.Add(d)
	h.r.Advance(h.now)
}

// expect says what is done since it was asked last, such as "attach 1 receive orders".
func (h *hand) expect(what string, want ...string) {
	h.t.Helper()
	var got []string
	for a, ok := h.r.NextAction(); ok; a, ok = h.r.NextAction() {
		got = append(got, describe(a))
	}
	if !slices.Equal(got, want) {
		h.t.Errorf("%s\n got %q\nwant %q", what, got, want)
	}
}

func describe(a Action) string {
	switch a.Kind {
	case Attach:
		return fmt.Sprintf("attach %d %s %s", a.Link, a.Direction, a.Address.Key.Name())
	case Detach:
		return fmt.Sprintf("detach %d", a.Link)
	case Lead:
		if a.Road == Link {
			return fmt.Sprintf("lead %s by %d", a.Address.Key.Name(), a.Link)
		}
		return fmt.Sprintf("lead %s %s", a.Address.Key.Name(), a.Road)
	case Ask:
		if a.Request.Identity != "" {
			return fmt.Sprintf("ask %d for the end of %s", a.Request.ID, a.Request.Identity)
		}
		return fmt.Sprintf("ask %d for %s", a.Request.ID, a.Request.Key.Name())
	default:
		return fmt.Sprintf("%s %d", a.Kind, a.Uplink)
	}
}

func TestLinksAreThereForAddressesInUse(t *testing.T) {
	h := newHand(t)
	h.consumers("orders", 1)
	h.producers("jobs", 3)
	h.expect("without an uplink")
	h.r.Opened(7, h.now)
	h.expect("an uplink comes", "activate 7", "attach 1 send jobs", "lead jobs relay", "attach 2 receive orders")
	h.consumers("orders", 2)
	h.producers("jobs", 2)
	h.expect("more and fewer of the same")
	h.consumers("orders", 0)
	h.expect("the last consumer goes", "detach 2")
	h.producers("jobs", 0)
	h.expect("the last producer goes")
	h.pass(5 * time.Second)
	h.producers("jobs", 1)
	h.pass(20 * time.Second)
	h.expect("another one comes in time")
	h.producers("jobs", 0)
	h.pass(10 * time.Second)
	h.expect("nobody comes", "detach 1", "lead jobs nowhere")
	if len(h.r.addresses)+len(h.r.links) > 0 || !h.r.Deadline().IsZero() {
		t.Error("something is remembered that nobody uses")
	}
}

func TestAddressesThatOthersDoNotFindByNameHaveNoLinks(t *testing.T) {
	h := newHand(t)
	h.r.Opened(1, h.now)
	h.r.Consumers(protocol.Address{Key: protocol.KeyOf(protocol.Local, "temp.x")}, 1, h.now)
	h.expect("a temporary address", "activate 1")
}

func TestNewsDecideHowMessagesLeave(t *testing.T) {
	h := newHand(t)
	h.r.Opened(1, h.now)
	h.producers("jobs", 1)
	h.expect("a producer", "activate 1", "attach 1 send jobs", "lead jobs relay")
	h.pass(time.Minute)
	h.expect("as long as the link is not answered nothing is known")
	h.r.Attached(1, h.now)
	h.hears("jobs", true)
	h.expect("a consumer", "lead jobs by 1")
	h.pass(time.Minute)
	h.expect("it stays")
	h.hears("jobs", false)
	h.expect("it goes", "lead jobs nowhere")
	h.hears("other", true)
	h.expect("news of what nobody sends to")
}

func TestNoNewsIsThatThereIsNobody(t *testing.T) {
	h := newHand(t)
	h.r.Opened(1, h.now)
	h.producers("jobs", 1)
	h.expect("a producer", "activate 1", "attach 1 send jobs", "lead jobs relay")
	h.r.Attached(1, h.now)
	if got := h.r.Deadline(); !got.Equal(h.now.Add(time.Second)) {
		t.Errorf("deadline %v", got)
	}
	h.pass(time.Second)
	h.expect("after a while", "lead jobs nowhere")
}

func TestAnotherUplinkTakesOver(t *testing.T) {
	h := newHand(t)
	h.consumers("orders", 1)
	h.producers("jobs", 1)
	h.r.Opened(1, h.now)
	h.r.Opened(2, h.now)
	h.r.Opened(3, h.now)
	h.expect("the first is used", "activate 1", "attach 1 send jobs", "lead jobs relay", "attach 2 receive orders")
	h.r.Lost(2, h.now)
	h.expect("one that stands by is lost")
	h.hears("jobs", true)
	h.r.Lost(1, h.now)
	h.expect("the one in use is lost", "lead jobs by 1",
		"lead jobs nowhere", "deactivate 1", "activate 3", "attach 3 send jobs", "lead jobs relay", "attach 4 receive orders")
	h.r.Attached(1, h.now)
	h.r.Refused(2, h.now)
	h.expect("late words of the former one")
	h.r.Lost(3, h.now)
	h.expect("the last is lost", "lead jobs nowhere", "deactivate 3")
	if _, ok := h.r.Active(); ok {
		t.Error("an uplink is in use")
	}
}

func TestWhatIsRefusedIsTriedAgain(t *testing.T) {
	h := newHand(t)
	h.r.Opened(1, h.now)
	h.consumers("orders", 1)
	h.producers("jobs", 1)
	h.expect("use", "activate 1", "attach 1 receive orders", "attach 2 send jobs", "lead jobs relay")
	h.r.Attached(2, h.now)
	h.pass(time.Second)
	h.r.Refused(1, h.now)
	h.r.Refused(2, h.now)
	h.expect("who sends is told by the interior what is wrong", "lead jobs nowhere", "lead jobs relay")
	h.producers("jobs", 2)
	h.consumers("orders", 2)
	h.expect("more use does not hurry it")
	h.consumers("orders", 0)
	h.pass(2 * time.Second)
	h.expect("what is still of use is tried again", "attach 3 send jobs")
}

func TestALinkThatComesAndGoesLeavesNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHand(t)
	links, active := make(map[LinkID]bool), false
	names := []string{"a", "b", "c"}
	for range 20_000 {
		name := names[random.IntN(len(names))]
		switch random.IntN(7) {
		case 0:
			h.consumers(name, random.IntN(3))
		case 1:
			h.producers(name, random.IntN(3))
		case 2:
			h.hears(name, random.IntN(2) == 0)
		case 3:
			h.r.Attached(LinkID(random.Uint64N(uint64(h.r.newest)+1)), h.now)
		case 4:
			id := LinkID(random.Uint64N(uint64(h.r.newest) + 1))
			h.r.Refused(id, h.now)
			delete(links, id)
		case 5:
			if u := UplinkID(random.IntN(3)); random.IntN(2) == 0 {
				h.r.Opened(u, h.now)
			} else {
				h.r.Lost(u, h.now)
			}
		default:
			h.pass(time.Duration(random.Int64N(int64(3 * time.Second))))
		}
		for a, ok := h.r.NextAction(); ok; a, ok = h.r.NextAction() {
			switch {
			case a.Kind == Activate && !active:
				active = true
			case a.Kind == Deactivate && active:
				active = false
				clear(links)
			case a.Kind == Attach && active && !links[a.Link]:
				links[a.Link] = true
			case a.Kind == Detach && links[a.Link]:
				delete(links, a.Link)
			case a.Kind == Lead && (a.Road == Nowhere || active && (a.Road == Relay || links[a.Link])):
			default:
				t.Fatalf("it makes no sense to %s now", describe(a))
			}
		}
	}
	for _, name := range names {
		h.consumers(name, 0)
		h.producers(name, 0)
	}
	h.pass(time.Minute)
	if len(h.r.addresses)+len(h.r.links) > 0 || !h.r.Deadline().IsZero() {
		t.Errorf("%d addresses and %d links are left", len(h.r.addresses), len(h.r.links))
	}
}
