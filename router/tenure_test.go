package router

import (
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// nobody is at both ends of links.
type nobody struct{}

func (nobody) Settled(*Sender, uint64, Outcome) {}
func (nobody) Credit(*Sender, int)              {}
func (nobody) Deliver(*Receiver, Delivery)      {}

// passing is a router of a network, to which others name addresses that are not declared here.
type passing struct {
	t      *testing.T
	direct *Direct
	router *Router
	user   *tenancy.Principal
}

func newPassing(t *testing.T) *passing {
	direct := NewDirect(Limits{})
	space, err := addressing.NewSpace(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &passing{
		t: t, direct: direct,
		router: New(Limits{}, map[addressing.Kind]Resolver{addressing.Anycast: direct, addressing.Broadcast: direct}),
		user:   &tenancy.Principal{Tenant: &tenancy.Tenant{Name: "default", Addresses: space, Anonymous: true}},
	}
}

func (p *passing) sender(def *addressing.Definition) *Sender {
	p.t.Helper()
	a, _ := def.Name.Literal()
	s, err := p.router.Sender(context.Background(), p.user, Target{Address: a, Undeclared: def}, nobody{})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func (p *passing) receiver(def *addressing.Definition) *Receiver {
	p.t.Helper()
	r, err := p.router.Receiver(context.Background(), p.user, Source{Filter: def.Name, Undeclared: def}, nobody{})
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// TestAddressesThatOthersNameAreForgotten when the last link to them has gone, and not before.
func TestAddressesThatOthersNameAreForgotten(t *testing.T) {
	for _, kind := range []addressing.Kind{addressing.Anycast, addressing.Broadcast} {
		p := newPassing(t)
		for i := range 100 {
			def := &addressing.Definition{Name: addressing.Address("reply/" + strconv.Itoa(i)).Filter(), Kind: kind}
			s, r := p.sender(def), p.receiver(def)
			s.Close()
			s.Close()
			if again := p.sender(def); again.node != r.nodes[0] {
				t.Fatalf("%v: there are two nodes of one address", kind)
			} else {
				again.Close()
			}
			r.Close()
		}
		if n := len(p.direct.nodes); n != 0 {
			t.Errorf("%v: %d nodes are left", kind, n)
		}
	}
}

// TestLinksMeetAtANodeThatEndsMeanwhile: whoever comes while the last one goes is linked to the node that is found.
func TestLinksMeetAtANodeThatEndsMeanwhile(t *testing.T) {
	for _, kind := range []addressing.Kind{addressing.Anycast, addressing.Broadcast} {
		p := newPassing(t)
		def := &addressing.Definition{Name: addressing.Address("reply").Filter(), Kind: kind}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 500 {
					s, r := p.sender(def), p.receiver(def)
					if s.node != r.nodes[0] {
						t.Errorf("%v: a sender and a receiver are apart", kind)
					}
					s.Close()
					r.Close()
				}
			})
		}
		all.Wait()
		if n := len(p.direct.nodes); n != 0 {
			t.Errorf("%v: %d nodes are left", kind, n)
		}
	}
}
