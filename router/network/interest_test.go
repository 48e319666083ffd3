package network

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// announced is what an Interest says.
type announced struct{ said []string }

func (a *announced) announce(key protocol.Key, t protocol.Treatment) {
	a.said = append(a.said, fmt.Sprint("+", string(key), " ", t))
}

func (a *announced) withdraw(key protocol.Key) { a.said = append(a.said, "-"+string(key)) }

// expect takes what was said since.
func (a *announced) expect(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(a.said)
	slices.Sort(want)
	if !slices.Equal(a.said, want) {
		t.Errorf("it said %q, want %q", a.said, want)
	}
	a.said = nil
}

// stored is a definition of what is stored somewhere in the network.
func stored(t *testing.T, name string, kind addressing.Kind, home addressing.Home) addressing.Definition {
	d := routertest.Define(t, name, kind)
	d.Home = home
	return d
}

// interested is a router that tells a network of its consumers.
func interested(t *testing.T, said *announced, defs ...addressing.Definition) (routertest.Links, *Interest) {
	user := routertest.User(t, "default", defs...)
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	homes := NewHomes(direct, router.Limits{}) // what is stored lives in direct nodes, too
	r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
		addressing.Anycast: direct, addressing.Broadcast: direct, addressing.Queue: homes, addressing.Topic: homes,
	})
	i := NewInterest(Keys{Self: "a", Directory: directory}, said.announce, said.withdraw)
	r.Watch(i)
	return routertest.Links{T: t, Router: r, User: user}, i
}

func TestFirstConsumerIsAnnouncedAndLastWithdrawn(t *testing.T) {
	closest := routertest.Define(t, "near", addressing.Anycast)
	closest.Distribution = addressing.Closest
	waypoint := routertest.Define(t, "way", addressing.Anycast)
	waypoint.Egress = 1
	said := new(announced)
	links, _ := interested(t, said,
		routertest.Define(t, "orders/#", addressing.Anycast), closest, waypoint,
		routertest.Define(t, "news/#", addressing.Broadcast),
		stored(t, "jobs", addressing.Queue, addressing.Alone),
		stored(t, "ours", addressing.Queue, addressing.Here),
		stored(t, "theirs", addressing.Queue, addressing.Elsewhere),
		stored(t, "events/#", addressing.Topic, addressing.Elsewhere))
	for filter, want := range map[string]string{
		"orders/7": "M0orders/7 balanced",
		"orders/*": "M0orders/+ balanced",
		"near":     "M0near closest",
		"way":      "M1way balanced",
		"news/a":   "M0news/a multicast",
		"news/#":   "M0news/# multicast",
		"theirs":   "M1theirs balanced",
		"events/#": "M1events/# multicast",
	} {
		first, second := links.Receiver(filter, 1), links.Receiver(filter, 1)
		said.expect(t, "+"+want)
		first.Link.Close()
		said.expect(t)
		second.Link.Close()
		key, _, _ := strings.Cut(want, " ")
		said.expect(t, "-"+key)
	}
	for _, filter := range []string{"jobs", "ours"} {
		links.Receiver(filter, 1)
		said.expect(t)
	}
	links.Receiver("#", 1) // over several kinds, in both phases
	said.expect(t, "+M0# multicast", "+M1# multicast")
}

func TestHomeIsAnnounced(t *testing.T) {
	said := new(announced)
	links, i := interested(t, said, stored(t, "jobs", addressing.Queue, addressing.Alone),
		stored(t, "ours/#", addressing.Queue, addressing.Here), stored(t, "events", addressing.Topic, addressing.Here),
		stored(t, "theirs", addressing.Queue, addressing.Elsewhere))
	all := []*tenancy.Tenant{links.User.Tenant}
	i.Define(all)
	said.expect(t, "+M0ours/# closest", "+M0events closest", "+D$home/a linkBalanced")
	i.Define(all)
	said.expect(t)
	i.Define([]*tenancy.Tenant{routertest.User(t, "default", stored(t, "events", addressing.Topic, addressing.Here)).Tenant})
	said.expect(t, "-M0ours/#")
	i.Define(nil)
	said.expect(t, "-M0events", "-D$home/a")
}

// dead is a way to nowhere.
type dead struct{ *routertest.Consumer }

func (dead) Deliver(*router.Receiver, router.Delivery) {}
func (dead) Leads(router.Delivery) (int64, bool)       { return 1, true }

func (dead) DeliverAfter(*router.Stream, *router.Receiver, router.Delivery) {}

func TestWayLeadsOnlyFromWhatIsThereForTheNetwork(t *testing.T) {
	links, _ := interested(t, new(announced), stored(t, "jobs", addressing.Queue, addressing.Alone),
		stored(t, "ours", addressing.Queue, addressing.Here), stored(t, "theirs/#", addressing.Queue, addressing.Elsewhere),
		stored(t, "events", addressing.Topic, addressing.Here), routertest.Define(t, "news", addressing.Broadcast))
	for _, c := range []struct {
		filter string
		phase  uint8
		want   bool
	}{
		{"jobs", 0, false}, {"jobs", 1, false},
		{"ours", 0, false}, {"ours", 1, true},
		{"events", 0, false}, {"events", 1, true},
		{"theirs/7", 0, true}, {"theirs/7", 1, true}, {"theirs/#", 0, true}, {"#", 0, true},
		{"news", 0, true}, {"news", 1, false},
	} {
		source := router.Source{Filter: routertest.Filter(t, c.filter), Phase: &c.phase}
		_, err := links.Router.Receiver(t.Context(), links.User, source, dead{})
		if got := err == nil; got != c.want {
			t.Errorf("a way from %s in phase %d: %v", c.filter, c.phase, err)
		}
	}
}

func TestElsewhereTakesNoDurableSubscription(t *testing.T) {
	links, _ := interested(t, new(announced), stored(t, "theirs", addressing.Queue, addressing.Elsewhere),
		stored(t, "events", addressing.Topic, addressing.Elsewhere))
	for _, source := range []router.Source{
		{Filter: routertest.Filter(t, "events"), Subscription: "mine"},
		{Filter: routertest.Filter(t, "theirs"), Browse: true},
	} {
		_, err := links.Router.Receiver(t.Context(), links.User, source, dead{})
		if router.ReasonOf(err) != router.Unsupported {
			t.Errorf("%v: %v", source, err)
		}
	}
}
