package network

import (
	"cmp"
	"net"
	"runtime"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/router/wire"
)

// conn is one connection to a broker: the engine that transport drives, and the links over it. The driver's lock guards
// everything but mail, where other goroutines leave things.
type conn struct {
	*engine.Conn
	life
	connector *connector
	host      string // host:port
	uploads   wire.Uploads
	desk      *passage.Desk
	container *container // as which links may lead to the broker; nil before it has let us in
	mail      mail
	links     map[*autoLink]end // that are there or wait to be tried again
	departing map[end]bool      // that are to end, and have something left to do
	retries   []retry           // the first first
	stopping  time.Time         // since when the process is; zero when it is not
}

// end is our end of a link.
type end interface {
	attached()
	// detached is the end of it: nothing is called any more.
	detached(engine.Detachment)
	// leave has the link end once what is under way on it has.
	leave()
	// unfinished is how many deliveries are.
	unfinished() int
}

// sending is the end of a link over which we send.
type sending interface {
	end
	creditChanged()
	progressed(engine.Update)
}

// receiving is the end of a link over which we receive.
type receiving interface {
	end
	received(*engine.Transfer)
	drained()
}

// patient is an end that waits for a time; zero for none.
type patient interface {
	wakeAt() time.Time
	wake(now time.Time)
}

// retry is when to attach a link again.
type retry struct {
	at   time.Time
	link *autoLink
}

// mail is where other goroutines leave what a connection is to do.
type mail struct {
	changes  transport.Mailbox[change]
	arrivals transport.Mailbox[arrival]
	outcomes transport.Mailbox[outcome]
	credits  transport.Mailbox[*intake]      // each with some credit in it
	rooms    transport.Mailbox[*wire.Upload] // that may go on
	streams  transport.Mailbox[*outgoing]
	pushes   transport.Mailbox[pushed]
	pulls    transport.Mailbox[pulled]
}

// change is a link that is declared, or not any more.
type change struct {
	link  *autoLink
	added bool
}

// arrival is a message that a node handed to a link.
type arrival struct {
	link     *outgoing
	delivery router.Delivery
}

var _ transport.Engine = (*conn)(nil)

func newConn(c *connector, now time.Time, wake func(), host string, login []engine.Mechanism) *conn {
	k := &conn{connector: c, host: host}
	k.init(wake)
	name, _, _ := net.SplitHostPort(host) // it has been split before
	hostname := cmp.Or(c.Hostname, name)
	k.Conn = engine.NewClient(now, &c.Limits.Limits, engine.Client{Hostname: hostname, Mechanisms: login}, passage.Handler(peer{k}))
	k.desk = passage.NewDesk(k.Conn, wake)
	k.SetTrace(c.network.config.Frames.Of(host, func() uint64 { return k.desk.Number }))
	k.desk.Number = c.network.config.Directory.Number()
	k.Open(frame.Open{
		ContainerID: c.network.config.ContainerID, Hostname: hostname, Properties: c.introduction(k.desk.Number),
	})
	return k
}

// introduction gives the properties of our open on a connection with this number.
func (c *connector) introduction(number uint64) amqp.RawValue {
	properties := amqp.BeginFields(nil)
	properties.String("product", "manifold")
	properties.String("version", c.network.config.Version)
	if c.network.config.AsDispatch {
		properties.Int(connectionProperty, int32(number))
	} else {
		properties.String("platform", runtime.GOOS+"/"+runtime.GOARCH)
	}
	said := wire.Greeting{Properties: c.Greeting}
	said.Write(&properties)
	return properties.End()
}

// init makes ready what does not depend on who has connected.
func (k *conn) init(wake func()) {
	k.links, k.departing = make(map[*autoLink]end), make(map[end]bool)
	k.mail.changes.Init(wake)
	k.mail.arrivals.Init(wake)
	k.mail.outcomes.Init(wake)
	k.mail.credits.Init(wake)
	k.mail.rooms.Init(wake)
	k.mail.streams.Init(wake)
	k.mail.pushes.Init(wake)
	k.mail.pulls.Init(wake)
}

// Advance implements transport.Engine.
func (k *conn) Advance(now time.Time) error {
	k.advance(now)
	return k.Conn.Advance(now)
}

// advance lets time pass for the links.
func (k *conn) advance(now time.Time) {
	for len(k.retries) > 0 && !now.Before(k.retries[0].at) {
		l := k.retries[0].link
		k.retries = k.retries[1:]
		if _, declared := k.links[l]; declared {
			k.attach(l)
		}
	}
	for e := range k.ends {
		if in, ok := e.(*incoming); ok && !in.resumeAt.IsZero() && !now.Before(in.resumeAt) {
			in.resume()
		}
		if p, ok := e.(patient); ok {
			p.wake(now)
		}
	}
}

// Deadline implements transport.Engine.
func (k *conn) Deadline() time.Time { return earlier(k.Conn.Deadline(), k.deadline()) }

// deadline is when the links want to be advanced; zero for never.
func (k *conn) deadline() (next time.Time) {
	if len(k.retries) > 0 {
		next = k.retries[0].at
	}
	for e := range k.ends {
		if in, ok := e.(*incoming); ok {
			next = earlier(next, in.resumeAt)
		}
		if p, ok := e.(patient); ok {
			next = earlier(next, p.wakeAt())
		}
	}
	return next
}

// ends gives the ends of all links that are there.
func (k *conn) ends(yield func(end) bool) {
	for _, e := range k.links {
		if e != nil && !yield(e) {
			return
		}
	}
	for e := range k.departing {
		if !yield(e) {
			return
		}
	}
}

// earlier gives the earlier of two instants, of which one that is zero never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Flush implements transport.Engine: what has come from the router goes to the engine, and out.
func (k *conn) Flush(dst []byte) []byte {
	k.desk.Work()
	k.work()
	if !k.stopping.IsZero() && k.unfinished() == 0 {
		k.Close(nil)
	}
	dst = k.Conn.Flush(dst)
	k.desk.Written()
	return dst
}

// work does for the links what has come by mail.
func (k *conn) work() {
	for _, x := range k.mail.changes.Take() {
		k.change(x)
	}
	for _, o := range k.mail.outcomes.Take() {
		o.from.in.answer(o)
	}
	for _, from := range k.mail.credits.Take() {
		from.in.credited(from)
	}
	for _, x := range k.mail.pulls.Take() {
		x.link.answer(x)
	}
	k.sendArrivals()
	k.takePushes()
	for _, out := range k.mail.streams.Take() {
		out.download.Continue()
	}
	k.uploads.Continue(k.mail.rooms.Take())
}

// Drain implements transport.Engine: nothing new is begun, and when nothing is under way the broker is told goodbye.
func (k *conn) Drain(now time.Time) {
	k.stopping = now
	for _, e := range k.links {
		if e != nil {
			e.leave()
		}
	}
}

// unfinished is how many deliveries are under way.
func (k *conn) unfinished() (n int) {
	for e := range k.ends {
		n += e.unfinished()
	}
	return n
}

// sendArrivals gives to the engine what has come.
func (k *conn) sendArrivals() {
	for _, a := range k.mail.arrivals.Take() {
		a.link.Arrived(a.delivery)
	}
}

// takePushes gives to the engine what has come for other networks.
func (k *conn) takePushes() {
	for _, x := range k.mail.pushes.Take() {
		x.link.arrived(x.delivery)
	}
}

// change begins a link that is declared, or ends one that is not any more.
func (k *conn) change(x change) {
	e, known := k.links[x.link]
	switch {
	case x.added && !known:
		k.attach(x.link)
	case !x.added && known:
		delete(k.links, x.link)
		if e != nil {
			k.departing[e] = true
			e.leave()
		}
	}
}

// attach attaches a link, in a session of its own, so that none waits for another.
func (k *conn) attach(l *autoLink) {
	k.links[l] = nil
	if !k.stopping.IsZero() {
		return
	}
	s := k.Begin()
	if s == nil {
		k.refused(l, "the broker allows no more sessions (channel-max)")
		return
	}
	if l.federated != nil {
		l.federated.meet(k.Remote().ContainerID)
	}
	a := l.attach()
	a.Name = k.connector.network.config.ContainerID + ":" + l.name()
	link := s.Attach(a)
	if link == nil {
		s.End(nil)
		k.refused(l, "the broker allows no more links, or the link is declared twice")
		return
	}
	e := k.newEnd(l, link)
	link.Context, k.links[l] = e, e
}

// newEnd gives our end of a link.
func (k *conn) newEnd(l *autoLink, link *engine.Link) end {
	switch f := l.federated; {
	case f != nil && l.Direction == In:
		return &pulling{conn: k, auto: l, link: link}
	case f != nil:
		return &pushing{conn: k, auto: l, link: link}
	case l.Direction == In:
		return &incoming{conn: k, auto: l, link: link}
	default:
		return &outgoing{conn: k, auto: l, link: link}
	}
}

// refused notes that a link is not there and has it tried again later.
func (k *conn) refused(l *autoLink, reason string) {
	if l.note(false, reason) {
		k.connector.log.Warn("link not attached", "tenant", l.Tenant, "address", l.Address, "direction", l.Direction,
			"external", l.External, "err", reason)
	}
	k.tryAgain(l)
}

// tryAgain has a link attached again in a while, unless it is not declared any more.
func (k *conn) tryAgain(l *autoLink) {
	if _, declared := k.links[l]; declared {
		k.links[l] = nil
		k.retries = append(k.retries, retry{time.Now().Add(k.connector.Limits.LinkRetry), l})
	}
}

// parted notes that a link is over, and has it tried again unless it was to end. That it ended with its connection is not
// worth a word of its own.
func (k *conn) parted(l *autoLink, link *engine.Link, d engine.Detachment) {
	link.Session().End(nil)
	delete(k.departing, link.Context.(end))
	e, declared := k.links[l]
	switch {
	case !declared || e != link.Context:
	case d.By == engine.ByNetwork || d.Error != nil && d.Error.Condition == frame.ConnectionForced:
		l.note(false, reasonOf(d))
		k.tryAgain(l)
	default:
		k.refused(l, reasonOf(d))
	}
}

// end gives back everything when the connection is over.
func (k *conn) end() {
	k.leaveNetwork()
	k.Lost()
	k.connector.network.config.Frames.Forget(k.desk.Number)
	k.desk.Close()
	k.abandon()
}

// abandon gives back what still came for the links.
func (k *conn) abandon() {
	k.sendArrivals()
	k.takePushes()
}
