package tenancy

import (
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// Connection is a door's side of a client that has been let in.
type Connection interface {
	// Dismiss has the client sent away, told why in the words of its protocol. It does not block; it may be called from
	// any goroutine, also when the connection has ended.
	Dismiss(Dismissal)
}

// Dismissal is why a client is sent away that had been let in.
type Dismissal uint8

// The reasons.
const (
	ByAdministrator Dismissal = iota + 1 // somebody who may has ended its connection
	NotWelcome                           // it would not be let in any more
)

// String tells it to the client.
func (d Dismissal) String() string {
	if d == ByAdministrator {
		return "the connection was ended by an administrator"
	}
	return "who you are is not let in here any more"
}

// Visit is a client that has been let in over a connection, until it leaves. Its methods may be called from any
// goroutine.
type Visit struct {
	directory   *Directory
	principal   *Principal
	allowance   *Allowance
	connection  Connection
	protocol    string
	address     netip.AddrPort
	certificate string
	number      uint64
	since       time.Time
	tls         uint16

	traffic *traffic // its principal has it too, who may outlive it

	noted     atomic.Uint64 // messages that had passed when Note was called last
	lastAt    atomic.Int64  // when Note has found that more had; nanoseconds since 1970
	dismissed atomic.Bool
}

// traffic is a Traffic as it is counted.
type traffic struct{ in, out flow }

// flow is what goes one way.
type flow struct{ messages, bytes atomic.Uint64 }

func (f *flow) add(messages, size int) {
	f.messages.Add(uint64(messages))
	f.bytes.Add(uint64(size))
}

// Traffic is what messages a connection has brought and got, and their bytes as they were sent on or delivered.
type Traffic struct {
	MessagesIn, MessagesOut uint64
	BytesIn, BytesOut       uint64
}

// Enter lets in a client that has shown who it is. A door calls it once for each connection, with a principal that is
// this connection's, and in the end Leave. The error is an *Exceeded when the tenant has too many, ErrProtocol, or
// ErrCredentials for somebody who would not be let in any more.
func (d *Directory) Enter(v Visitor, p *Principal, c Connection) (*Visit, error) {
	visit := &Visit{
		directory: d, principal: p, allowance: d.Allowance(p.Tenant.Name), connection: c,
		protocol: v.Protocol, address: v.Address, certificate: v.Certificate, tls: v.TLS, since: time.Now(),
		traffic: new(traffic),
	}
	if err := visit.allowance.enter(d, visit); err != nil {
		return nil, err
	}
	if err := p.MayStay(v.Protocol); err != nil { // once it is in the register, where expel looks
		visit.allowance.leave(visit)
		return nil, err
	}
	p.visit, p.traffic = visit.number, visit.traffic
	if d.witness != nil {
		d.witness.Entered(visit.visitor(), p)
	}
	return visit, nil
}

// Leave notes that the client has gone. Nothing happens for a nil Visit.
func (v *Visit) Leave() {
	if v == nil {
		return
	}
	v.allowance.leave(v)
	if v.directory.witness != nil {
		v.directory.witness.Left(v.visitor(), v.principal, time.Since(v.since))
	}
}

// visitor is what the witness is told.
func (v *Visit) visitor() Visitor {
	return Visitor{Protocol: v.protocol, Address: v.address, Certificate: v.certificate, TLS: v.tls}
}

// ID is the number of the connection, which no other one of this process has had or will have. It rises.
func (v *Visit) ID() uint64 { return v.number }

// Tenant is the name of its tenant.
func (v *Visit) Tenant() string { return v.principal.Tenant.Name }

// User is who has come in; empty for the anonymous user.
func (v *Visit) User() string { return v.principal.User }

// Client is what the client calls itself in its protocol, such as an MQTT client id; empty for nothing.
func (v *Visit) Client() string { return v.principal.Client }

// About is what the client has told of itself: see Principal.About.
func (v *Visit) About() []byte { return v.principal.About }

// Protocol is what the client speaks, such as "MQTT".
func (v *Visit) Protocol() string { return v.protocol }

// Address is where the client is.
func (v *Visit) Address() netip.AddrPort { return v.address }

// TLS is the version of TLS, as crypto/tls has it; 0 without.
func (v *Visit) TLS() uint16 { return v.tls }

// Since is when the client was let in.
func (v *Visit) Since() time.Time { return v.since }

// Traffic is what went over the connection so far.
func (v *Visit) Traffic() Traffic {
	return Traffic{
		MessagesIn: v.traffic.in.messages.Load(), MessagesOut: v.traffic.out.messages.Load(),
		BytesIn: v.traffic.in.bytes.Load(), BytesOut: v.traffic.out.bytes.Load(),
	}
}

// Note notes the time, if messages have gone over the connection since it was noted last. A door that wants this told calls it
// when it has written.
func (v *Visit) Note() {
	if v == nil {
		return
	}
	if n := v.traffic.in.messages.Load() + v.traffic.out.messages.Load(); v.noted.Load() != n {
		v.noted.Store(n)
		v.lastAt.Store(time.Now().UnixNano())
	}
}

// LastDelivery is when a message went over the connection last, as far as its door notes that. It is false for never.
func (v *Visit) LastDelivery() (at time.Time, ok bool) {
	n := v.lastAt.Load()
	return time.Unix(0, n), n != 0
}

// Connection is the door's side of it.
func (v *Visit) Connection() Connection { return v.connection }

// Dismiss sends the client away; its connection ends a little later.
func (v *Visit) Dismiss(why Dismissal) {
	v.dismissed.Store(true)
	v.connection.Dismiss(why)
}

// Dismissed tells whether the client has been sent away: it may not have gone yet.
func (v *Visit) Dismissed() bool { return v.dismissed.Load() }

// Number gives the next number of a visit, for a connection that is none: one that the gateway has made itself.
func (d *Directory) Number() uint64 { return d.numbers.Next() }

// Visits lists the connections of a tenant in the order in which they came: those whose numbers are above after, at most
// so many.
func (d *Directory) Visits(tenant string, after uint64, most int) []*Visit {
	a := d.allowance(tenant)
	if a == nil {
		return nil
	}
	return a.visits.Page(after, most)
}

// Visit finds a connection of a tenant by its number.
func (d *Directory) Visit(tenant string, id uint64) (*Visit, bool) {
	a := d.allowance(tenant)
	if a == nil {
		return nil, false
	}
	return a.visits.Get(id)
}

// Present is how many connections a tenant has.
func (d *Directory) Present(tenant string) int {
	a := d.allowance(tenant)
	if a == nil {
		return 0
	}
	return a.visits.Len()
}

// Occupied lists the tenants that have connections in alphabetical order. They may have been removed since.
func (d *Directory) Occupied() []string {
	names := make(map[string]bool)
	d.allowances.Range(func(name, a any) bool {
		if a.(*Allowance).visits.Len() > 0 {
			names[name.(string)] = true
		}
		return true
	})
	return slices.Sorted(maps.Keys(names))
}

// expel sends away all of a tenant who would not be let in any more.
func (d *Directory) expel(tenant string) {
	const most = 1000
	for after, more := uint64(0), true; more; {
		page := d.Visits(tenant, after, most)
		for _, v := range page {
			if v.principal.MayStay(v.protocol) != nil {
				v.Dismiss(NotWelcome)
			}
			after = v.number
		}
		more = len(page) == most
	}
}
