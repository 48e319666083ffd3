package passage

import (
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// What Qpid Dispatch says when a routed link cannot be had any more, or at all; clients know it by this.
const (
	LinkLost       amqp.Symbol = "qd:routed-link-lost"
	NoRoute        amqp.Symbol = "qd:no-route-to-dest"
	LinkExpiration amqp.Symbol = "qd:link-expiration"
)

// Lost tells a peer that the other one is gone.
func Lost() *frame.Error {
	return &frame.Error{Condition: LinkLost, Description: "Connectivity to the peer container was lost"}
}

// Unreachable tells a peer that nobody is there to whom its link could lead.
func Unreachable() *frame.Error {
	return &frame.Error{Condition: NoRoute, Description: "No route to the destination node"}
}

// Way says where a link goes on.
type Way struct {
	Desk   *Desk  // of the connection over which it does
	Name   string // of the link there; one that comes with a name in use takes it over, if it is of the same owner
	Owner  string // who may take over the link, such as the tenant
	Remove string // what is taken off the front of its address, if it is there
	Add    string // what is put before its address then
	Meter  Meter  // counts what the client does; nil for none
	List   *List  // that the link is in, as one of its Owner; nil for none
}

// Address is the address that a link leads to, from its attach: of its target if the peer sends, of its source otherwise. That of
// a coordinator is "$coordinator", that of a dynamic terminus is in the properties of its node, as Qpid Dispatch has it.
func Address(a *frame.Attach) (address string, ok bool) {
	var properties amqp.RawValue
	switch {
	case a.Role == frame.Sender && a.Coordinator != nil:
		return Coordinator, true
	case a.Role == frame.Sender && a.Target != nil:
		address, properties = a.Target.Address, dynamicProperties(a.Target.Dynamic, a.Target.DynamicNodeProperties)
	case a.Role == frame.Receiver && a.Source != nil:
		address, properties = a.Source.Address, dynamicProperties(a.Source.Dynamic, a.Source.DynamicNodeProperties)
	}
	if properties != nil {
		view, _ := properties.Map()
		value, _ := view.Lookup(dynamicAddress)
		address, _ = value.Value().(string)
	}
	return address, address != ""
}

const (
	// Coordinator stands for the address of coordinators of transactions.
	Coordinator = "$coordinator"
	// dynamicAddress is the property of a dynamic node that says to where the wish for it leads.
	dynamicAddress = "x-opt-qd.address"
)

func dynamicProperties(dynamic bool, properties amqp.RawValue) amqp.RawValue {
	if !dynamic {
		return nil
	}
	return properties
}

// Survives tells whether the terminus that a link leads to stays when its connection is lost [3.5.6].
func Survives(a *frame.Attach) bool {
	switch {
	case a.Role == frame.Sender && a.Target != nil:
		return a.Target.Timeout > 0 || a.Target.ExpiryPolicy == frame.ExpireNever
	case a.Role == frame.Receiver && a.Source != nil:
		return a.Source.Timeout > 0 || a.Source.ExpiryPolicy == frame.ExpireNever
	default:
		return false
	}
}

// rewriting is how an address is written on the other side.
type rewriting struct{ remove, add string }

func (r rewriting) address(s string) string {
	if len(s) > len(r.remove) {
		s = strings.TrimPrefix(s, r.remove)
	}
	return r.add + s
}

// back gives the way back from s, which was written by r.
func (r rewriting) back() rewriting { return rewriting{remove: r.add, add: r.remove} }

// attach writes the address of an attach anew, that of the target where role, the client's, is a sender's.
func (r rewriting) attach(a frame.Attach, role frame.Role) frame.Attach {
	switch {
	case r == rewriting{}:
	case role == frame.Sender && a.Target != nil:
		target := *a.Target
		target.Address, target.DynamicNodeProperties = r.terminus(target.Address, target.Dynamic, target.DynamicNodeProperties)
		a.Target = &target
	case role == frame.Receiver && a.Source != nil:
		source := *a.Source
		source.Address, source.DynamicNodeProperties = r.terminus(source.Address, source.Dynamic, source.DynamicNodeProperties)
		a.Source = &source
	}
	return a
}

// terminus writes the address of a terminus anew, or the one in the properties of a dynamic node.
func (r rewriting) terminus(address string, dynamic bool, properties amqp.RawValue) (string, amqp.RawValue) {
	if address != "" {
		return r.address(address), properties
	}
	view, ok := dynamicProperties(dynamic, properties).Map()
	if !ok {
		return address, properties
	}
	value, _ := view.Lookup(dynamicAddress)
	leads, ok := value.Value().(string)
	if !ok {
		return address, properties
	}
	anew := amqp.BeginFields(nil)
	for key, value := range view.All() {
		if name, _ := key.Text(); string(name) == dynamicAddress {
			value = amqp.AppendString(nil, r.address(leads))
		}
		anew.Pair(key, value)
	}
	return address, anew.End()
}

// Prefixed gives an attach that leads to an address with a prefix before it.
func Prefixed(a frame.Attach, prefix string) frame.Attach {
	return rewriting{add: prefix}.attach(a, a.Role)
}

// Pass has a link that the peer of d's connection has Requested go on along a way. The link's Context is the passage's then.
func (d *Desk) Pass(l *engine.Link, w Way) *End {
	wish := *l.Remote()
	r := rewriting{remove: w.Remove, add: w.Add}
	if address, _ := Address(&wish); !strings.HasPrefix(address, r.remove) {
		r.remove = ""
	}
	near := &End{desk: d, link: l, asker: true}
	far := &End{desk: w.Desk, other: near, rewritten: r, role: wish.Role, name: name{w.Name, wish.Role}, owner: w.Owner}
	near.other = far
	near.meter = w.Meter
	l.Context = near
	near.enlist(far, w, &wish)
	wish = r.attach(wish, wish.Role)
	wish.Name = w.Name
	near.tell(&request{attach: wish, session: l.Session()})
	if w.Desk.closed.Load() { // it may not have been read
		near.finish()
		far.delist()
		l.Refuse(Unreachable())
	}
	return near
}

// enlist has both ends be in the list of a way, as the link is wished that leads along it.
func (e *End) enlist(far *End, w Way, wish *frame.Attach) {
	if w.List == nil {
		return
	}
	address, _ := Address(wish)
	e.router, far.router = e.desk.Router, far.desk.Router
	e.connection, e.label, e.address, e.sends = e.desk.Number, e.link.Name(), address, wish.Role == frame.Sender
	far.connection, far.label, far.address, far.sends = far.desk.Number, w.Name, address, !e.sends
	w.List.add(w.Owner, e, far)
}
