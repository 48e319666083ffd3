package network

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// neighbor is one connection to another router: the engine that transport drives, its control links, and the data links
// with what they carry. The driver's lock guards everything but mail, where other goroutines leave things, until the
// connection has ended: then it belongs to the mesh.
type neighbor struct {
	*engine.Conn
	life
	mesh      *Mesh
	network   *Network
	role      Role // InterRouter or Edge
	log       *slog.Logger
	id        routing.LinkID
	connector *connector // that keeps the connection; nil where the other side has connected
	guest     *guest     // who that is; nil where we have connected
	host      string     // host:port of the other side
	number    uint64     // of the connection, among those of clients too: tenancy.Directory.Number
	cost      int
	container string                 // what the other side calls itself
	name      atomic.Pointer[string] // the other router's id; nil before it is a neighbour

	control     control
	lanes       []*lane  // by priority; what goes out
	streamLanes []*lane  // for messages that stream
	inlets      []*inlet // what comes in
	tallies     []*tally // of links that are told of
	uploads     wire.Uploads
	desk        *passage.Desk
	loans       loanSessions
	borrowings  map[*borrowing]bool // the links by which we have asked homes
	lendings    map[*lending]bool   // those by which we lend
	handing     bool                // what those are to send is being sent
	answering   int                 // outcomes that homes have not noted
	onLoan      int                 // messages that those have who borrow from us, and have not settled
	wishes      sync.WaitGroup      // that are being granted
	regrants    []*way              // that are to get credit back
	spurs       spurs               // of an edge connection
	stopping    time.Time           // since when the process is; zero when it is not
	mail        neighborMail
	asking      atomic.Int32 // inquiries of clients that have no answer
	buried      atomic.Bool  // it has ended, and whoever leaves something has it buried
	traffic     traffic
}

// neighborMail is where other goroutines leave what a connection is to do.
type neighborMail struct {
	packets   transport.Mailbox[protocol.Packet]
	parcels   transport.Mailbox[parcel]
	partings  transport.Mailbox[*way] // that are to end
	outcomes  transport.Mailbox[verdict]
	rooms     transport.Mailbox[*wire.Upload] // that may go on
	streams   transport.Mailbox[*lane]
	lendings  transport.Mailbox[lent]
	inquiries transport.Mailbox[inquiry]
	orders    transport.Mailbox[func()] // of the mesh, and of loans
}

var _ transport.Engine = (*neighbor)(nil)

// newNeighbor gives a connection without its engine.
func newNeighbor(n *Network, wake func(), host string, cost int, role Role) *neighbor {
	m := n.config.Mesh
	k := &neighbor{
		mesh: m, network: n, id: routing.LinkID(m.linkIDs.Add(1)), host: host, cost: max(cost, 1), role: role,
		log: m.log.With("host", host),
	}
	k.mail.packets.Init(wake)
	k.mail.parcels.Init(wake)
	k.mail.partings.Init(wake)
	k.mail.outcomes.Init(wake)
	k.mail.rooms.Init(wake)
	k.mail.streams.Init(wake)
	k.mail.lendings.Init(wake)
	k.mail.inquiries.Init(wake)
	k.mail.orders.Init(wake)
	k.lanes = newLanes(k)
	k.borrowings, k.lendings = make(map[*borrowing]bool), make(map[*lending]bool)
	return k
}

// dialNeighbor gives the connection to a router that we have connected to.
func dialNeighbor(c *connector, now time.Time, wake func(), host, hostname string, login []engine.Mechanism) *neighbor {
	k := newNeighbor(c.network, wake, host, c.Cost, c.Role)
	k.connector = c
	k.Conn = engine.NewClient(now, k.limits(&c.Limits), engine.Client{Hostname: hostname, Mechanisms: login}, passage.Handler(router2router{k}))
	k.desk = passage.NewDesk(k.Conn, wake)
	k.trace()
	k.greet(hostname)
	return k
}

// acceptNeighbor gives the connection of a router that has connected to us.
func acceptNeighbor(n *Network, now time.Time, wake func(), host string, g *guest) *neighbor {
	k := newNeighbor(n, wake, host, g.entrance.Cost, g.entrance.Role)
	k.guest = g
	g.verdicts.Init(wake)
	k.Conn = engine.NewServer(now, k.limits(&g.entrance.Limits), g.hello(k.mesh.ID()), passage.Handler(router2router{k}))
	k.desk = passage.NewDesk(k.Conn, wake)
	k.trace()
	return k
}

// trace has what is said logged, when somebody wants that.
func (k *neighbor) trace() {
	k.SetTrace(k.network.config.Frames.Of(k.host, func() uint64 { return k.desk.Number }))
}

// Advance implements transport.Engine.
func (k *neighbor) Advance(now time.Time) error {
	k.overdue(now)
	return k.Conn.Advance(now)
}

// Deadline implements transport.Engine.
func (k *neighbor) Deadline() time.Time { return earlier(k.Conn.Deadline(), k.answerDeadline()) }

// Flush implements transport.Engine: what has come from the mesh and the router goes to the engine, and out.
func (k *neighbor) Flush(dst []byte) []byte {
	if k.guest != nil {
		k.answerLogin()
	}
	k.desk.Work()
	for _, order := range k.mail.orders.Take() {
		order()
	}
	for _, q := range k.mail.inquiries.Take() {
		k.inquire(q)
	}
	for _, p := range k.mail.packets.Take() {
		k.control.send(p)
	}
	for _, v := range k.mail.outcomes.Take() {
		v.inlet.answer(v)
	}
	k.sendParcels()
	k.sendLent()
	for _, l := range k.mail.streams.Take() {
		l.sendable()
	}
	for _, w := range k.mail.partings.Take() {
		w.part()
	}
	k.regrant()
	k.uploads.Continue(k.mail.rooms.Take())
	if !k.stopping.IsZero() && k.unfinished() == 0 {
		k.Close(nil)
	}
	dst = k.Conn.Flush(dst)
	k.desk.Written()
	for _, l := range k.lanes {
		l.written()
	}
	return dst
}

// sendParcels gives to the lanes what the nodes and other connections have left.
func (k *neighbor) sendParcels() {
	for _, p := range k.mail.parcels.Take() {
		k.send(p)
	}
}

// regrant gives the ways back the credit for what has gone out.
func (k *neighbor) regrant() {
	for _, w := range k.regrants {
		w.regrant()
	}
	clear(k.regrants)
	k.regrants = k.regrants[:0]
}

// Drain implements transport.Engine: nothing new is begun, and when nothing is under way the other side is told goodbye.
func (k *neighbor) Drain(now time.Time) {
	k.stopping = now
	for out := range k.lendings {
		out.sendable()
	}
	for b := range k.borrowings {
		b.credited()
	}
}

// unfinished is how many deliveries are under way.
func (k *neighbor) unfinished() (n int) {
	for _, l := range slices.Concat(k.lanes, k.streamLanes) {
		n += l.open + len(l.queue)
	}
	for _, in := range k.inlets {
		n += in.open
	}
	return n + k.spurs.unfinished() + k.onLoan + k.answering
}

// end gives back everything when the connection is over.
func (k *neighbor) end() {
	k.Lost()
	k.network.config.Frames.Forget(k.desk.Number)
	k.wishes.Wait()
	for _, l := range k.lanes { // also one whose link the other side never attached
		l.giveBack()
	}
	k.desk.Close()
	k.delist(nil)
	k.network.parted(k)
	k.mesh.down(k)
}

// bury gives back what still came when the connection had ended. The mesh calls it when no way leads here any more, and then
// for what comes all the same, from those who had found the way before.
func (k *neighbor) bury() {
	k.buried.Store(true)
	for _, q := range k.mail.inquiries.Take() {
		q.done(false)
	}
	ways := k.mail.partings.Take()
	for _, w := range ways {
		w.receiver.Retire()
	}
	for _, p := range k.mail.parcels.Take() {
		p.finish(router.Release())
	}
	for _, w := range ways {
		w.receiver.Close()
	}
}

// post leaves a message for the neighbour. It may be called from any goroutine, and never blocks.
func (k *neighbor) post(p parcel) {
	k.mail.parcels.Put(p)
	if k.buried.Load() {
		k.mesh.inputs.Put(func(time.Time) { k.bury() })
	}
}

// opened notes who is at the other side, and that the connection may be used.
func (k *neighbor) opened(o *frame.Open) {
	k.openedAt = time.Now()
	k.container = o.ContainerID
	k.cost = max(k.cost, costIn(o.Properties))
	k.network.joined(k)
	if k.connector != nil {
		k.connector.noteOpened(k.number, k.host, k.container)
		k.connector.heed(k.host, o.Properties)
		if k.role == InterRouter {
			k.attach()
		}
	} else {
		k.log.Info("router has connected", "container", k.container)
	}
	if k.role == Edge {
		k.openedEdge()
	}
}

// router is the id of the router at the other side. Before that has said hello, it is what the side calls itself.
func (k *neighbor) router() string {
	if name := k.name.Load(); name != nil {
		return *name
	}
	return k.container
}

// insider is insider over an edge connection, where links are for one address as those of clients are.
func (k *neighbor) insider(t *tenancy.Tenant) *tenancy.Principal {
	if k.role == Edge {
		return tenancy.InsiderOver(t, insiderName, k.number)
	}
	return insider(t)
}

// insider is who brings what comes from other routers to the addresses of a tenant.
func insider(t *tenancy.Tenant) *tenancy.Principal { return tenancy.Insider(t, insiderName) }

const insiderName = "network:router"
