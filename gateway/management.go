package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// managementAddress is where requests go. Tools that are told to ask a router of a network by its name put something
// before it.
const managementAddress addressing.Address = "$management"

// Bounds of requests to $management.
const (
	maxManaged         = 4   // that are answered at a time, of different tenants
	maxManagedWaiting  = 256 // that wait of one tenant
	managementPatience = 30 * time.Second
)

// managementNode is what lives at $management in every tenant. A tenant's requests are answered one after the other, and
// those of a few tenants at a time, so that nobody who asks for much holds up the others.
type managementNode struct {
	router *router.Router
	log    *slog.Logger
	model  func(*tenancy.Principal) management.Model
	may    func(*tenancy.Principal) management.Rights

	refusals slog.Level // of what is logged of requests that are refused

	places    chan struct{} // one for each request that is being answered
	answering sync.WaitGroup

	mu      sync.Mutex                   // guards everything below; a leaf
	lines   map[string][]router.Delivery // what waits, by tenant, of those whose requests are being answered
	stopped bool
}

var (
	_ router.Node     = (*managementNode)(nil)
	_ router.Producer = (*managementNode)(nil)
)

// openManagement puts the management node to its addresses: $management, and those by which tools reach a router of a
// network. It has to come before any client.
func (a *assembly) openManagement(doors []door) {
	n := &managementNode{
		router: a.router,
		log:    a.log.With(moduleKey, "management"),
		model:  a.modelOf(doors),
		may:    a.mayManage,
		places: make(chan struct{}, maxManaged),
		lines:  make(map[string][]router.Delivery),

		refusals: slog.LevelDebug,
	}
	if a.isDispatch() { // whose operators look for them
		n.refusals = slog.LevelError
	}
	id := addressing.Address(a.routerID())
	a.router.Serve(n, managementAddress, "_local/"+managementAddress,
		"_topo/0/"+id+"/"+managementAddress, "_edge/"+id+"/"+managementAddress)
	a.chores = append(a.chores, n.run)
}

// routerID is how the gateway is called as a router: in its network, or without one to its peers.
func (a *assembly) routerID() string { return cmp.Or(a.network.RouterID(), a.containerID()) }

// mayManage tells what somebody may do with his tenant's entities. In a tenant that tells nobody apart, of a gateway that
// only this machine reaches, everybody may do everything: that is how a gateway is tried out. So he may where it stands in
// for a router of Dispatch, which asks for no rights either as long as there are no policies.
func (a *assembly) mayManage(p *tenancy.Principal) management.Rights {
	all, _ := tenancy.Everywhere.For(p)
	admin := p.May(tenancy.Admin, all)
	t, ok := a.directory.Lookup(p.Tenant.Name)
	if ok && t.Anonymous && len(t.Roles) == 0 && p.Policy == nil && (a.isPrivate() || a.isDispatch()) {
		admin = admin || p.Known()
	}
	return management.Rights{Read: admin || p.May(tenancy.Manage, all), Change: admin}
}

// isPrivate tells whether only this machine reaches the doors.
func (a *assembly) isPrivate() bool {
	return config.IsLoopback(a.config.Listen) && !slices.ContainsFunc(a.config.Listeners(), func(l config.Listener) bool {
		return l.Enabled && l.Name != "admin" && !config.IsLoopback(l.Host)
	})
}

// isDispatch tells whether the gateway stands in for a router of Dispatch.
func (a *assembly) isDispatch() bool { return a.config.AMQP.Manner == config.DispatchManner }

// run waits for ctx to end, and then for those who are being answered.
func (n *managementNode) run(ctx context.Context) error {
	<-ctx.Done()
	n.mu.Lock()
	n.stopped = true
	n.mu.Unlock()
	n.answering.Wait()
	return nil
}

// Join implements router.Node.
func (n *managementNode) Join(s *router.Sender) error {
	s.Grant()
	return nil
}

// Leave implements router.Node: who has asked and left is answered all the same.
func (n *managementNode) Leave(*router.Sender) {}

// Offer implements router.Node: it takes a request.
func (n *managementNode) Offer(d router.Delivery) {
	if why, ok := n.queue(d); !ok {
		d.Settle(why)
	}
}

// queue has a request wait for its turn, or tells why not.
func (n *managementNode) queue(d router.Delivery) (why router.Outcome, ok bool) {
	tenant := d.Principal().Tenant.Name
	n.mu.Lock()
	defer n.mu.Unlock()
	waiting, busy := n.lines[tenant]
	switch {
	case n.stopped:
		return router.Reject(router.Stopping, "the gateway is stopping"), false
	case len(waiting) >= maxManagedWaiting:
		return router.Outcome{State: router.Released, Reason: router.Quota, Text: "too many requests of this tenant wait"}, false
	}
	n.lines[tenant] = append(waiting, d)
	if !busy {
		n.answering.Go(func() { n.serve(tenant) })
	}
	return why, true
}

// serve answers the requests of a tenant until none waits.
func (n *managementNode) serve(tenant string) {
	for {
		n.places <- struct{}{}
		d, ok := n.next(tenant)
		if ok {
			d.Settle(n.answer(d))
		}
		<-n.places
		if !ok {
			return
		}
	}
}

// next gives the request whose turn it is, if one waits.
func (n *managementNode) next(tenant string) (d router.Delivery, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	waiting := n.lines[tenant]
	if len(waiting) == 0 {
		delete(n.lines, tenant)
		return d, false
	}
	n.lines[tenant] = waiting[1:]
	return waiting[0], true
}

// answer sends the answer to a request to where it says, in the name of who has asked, and tells what became of the
// request.
func (n *managementNode) answer(d router.Delivery) router.Outcome {
	ctx, cancel := context.WithTimeout(context.Background(), managementPatience)
	defer cancel()
	p := d.Principal()
	asked, err := d.Message.Properties()
	if err != nil {
		return router.Reject(router.Malformed, err.Error())
	}
	to, err := addressing.ParseAddress(withoutHost(asked.ReplyTo))
	if err != nil {
		return router.Reject(router.Malformed, "reply-to: "+err.Error())
	}
	room, err := n.room(ctx, p, to)
	if err != nil {
		return router.Reject(router.ReasonOf(err), "reply-to: "+err.Error())
	}
	operation, _ := d.Message.ApplicationProperty("operation")
	entityType, _ := d.Message.ApplicationProperty("entityType")
	n.log.Debug("asked", "operation", operation, "entityType", entityType, "tenant", p.Tenant.Name, "user", p.User)
	answer := management.Answer(ctx, n.model(p), n.may(p), d.Message, room)
	if why, ok := management.Refusal(answer); ok {
		n.log.Log(ctx, n.refusals, "refused", "operation", operation, "why", why, "tenant", p.Tenant.Name, "user", p.User)
	}
	if err := n.send(ctx, p, to, answer); err != nil {
		return router.Reject(router.ReasonOf(err), "reply-to: "+err.Error())
	}
	return router.Accept()
}

// withoutHost takes off what clients, and routers, put before an address: a slash, amqp:/ or amqp://host/.
func withoutHost(address string) string {
	for _, scheme := range []string{"amqp://", "amqps://"} {
		if rest, ok := strings.CutPrefix(address, scheme); ok {
			_, path, _ := strings.Cut(rest, "/")
			return path
		}
	}
	return strings.TrimPrefix(strings.TrimPrefix(address, "amqp:"), "/")
}

// room tells how large an answer may be. Before anything is done it makes sure that there will be one.
func (n *managementNode) room(ctx context.Context, p *tenancy.Principal, to addressing.Address) (int, error) {
	sender, err := n.router.Sender(ctx, p, router.Target{Address: to}, n)
	if err != nil {
		return 0, err
	}
	defer sender.Close()
	return sender.MaxMessageSize(), nil
}

// send sends an answer. While it was made there was no link for it, which it would have told of.
func (n *managementNode) send(
	ctx context.Context, p *tenancy.Principal, to addressing.Address, answer router.Message,
) error {
	sender, err := n.router.Sender(ctx, p, router.Target{Address: to}, n)
	if err != nil {
		return err
	}
	defer sender.Close()
	sender.Send(0, router.Delivery{Message: answer, Settled: true})
	return nil
}

// Settled implements router.Producer for answers, of which nobody waits to hear.
func (n *managementNode) Settled(*router.Sender, uint64, router.Outcome) {}

// Credit implements router.Producer: answers need none, as who asks makes room for them.
func (n *managementNode) Credit(*router.Sender, int) {}

// Attach implements router.Node: nobody receives the requests of others.
func (n *managementNode) Attach(*router.Receiver) error {
	return router.Errorf(router.Unsupported, "%s is only sent to", managementAddress)
}

// Grant implements router.Node.
func (n *managementNode) Grant(*router.Receiver) {}

// Pending implements router.Node.
func (n *managementNode) Pending(*router.Receiver) bool { return false }

// Detach implements router.Node.
func (n *managementNode) Detach(*router.Receiver) {}
