package router_test

import (
	"context"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// onward resolves what another router stores to a node on the way there.
type onward struct{ *router.Direct }

func (o onward) Resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	return o.Direct.Resolve(ctx, t, &addressing.Definition{Name: def.Name, Kind: addressing.Anycast}, source)
}

// TestTransactionsSendOnlyToWhatIsStoredHere: a commit would say that a message is on disk of which nobody knows that.
func TestTransactionsSendOnlyToWhatIsStoredHere(t *testing.T) {
	for home, want := range map[addressing.Home]router.Reason{
		addressing.Alone: router.OK, addressing.Elsewhere: router.Unsupported,
	} {
		def := routertest.Define(t, "jobs", addressing.Queue)
		def.Home = home
		links := routertest.Links{
			T: t, User: routertest.User(t, "default", def),
			Router: router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
				addressing.Queue: onward{router.NewDirect(router.Limits{})},
			}),
		}
		err := links.Router.Begin().Send(links.Sender("jobs").Link, routertest.Text("one"))
		if got := router.ReasonOf(err); got != want {
			t.Errorf("home %d: %v (%v), want %v", home, got, err, want)
		}
	}
}
