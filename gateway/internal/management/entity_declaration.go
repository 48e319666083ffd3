package management

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
)

// Declaration is what is declared of the addresses that a filter selects. Its name is the filter, or one that CREATE has
// given it.
type Declaration struct {
	Names
	Prefix       *string `about:"These tokens, and whatever follows them; tokens are parted by . or /." set:"create"`
	Pattern      *string `about:"* is one token, # any number; without these it is one address." set:"create"`
	Distribution string  `about:"balanced, closest, multicast or unavailable." set:"create,update"`
	Waypoint     bool    `about:"Whether messages are stored: a queue, or with multicast a topic." set:"create,update"`
	Kind         string  `about:"anycast, broadcast, queue or topic, in place of distribution and waypoint. Dispatch does not have it." set:"create,update"`

	IngressPhase   int  `about:"Always 0." set:"create"`
	EgressPhase    int  `about:"Of an anycast address: at which phase its consumers receive." set:"create"`
	Priority       int  `about:"On the links between routers, 0 to 9; -1: messages have priorities of their own." set:"create"`
	EnableFallback bool `about:"Of an anycast address: whether what nobody wants goes to those who receive as its fallback." set:"create"`

	MaxMessageSize int    `about:"Bytes; 0 leaves it to limits.maxMessageSize. Dispatch does not have it." set:"create,update"`
	MaxMessages    int    `about:"Messages that are stored at once; 0 is no limit. Dispatch does not have it." set:"create,update"`
	MaxBytes       int    `about:"Their bytes; 0 is no limit. Dispatch does not have it." set:"create,update"`
	MaxDeliveries  int    `about:"Failed ones, after which a message is dead; 0 is no limit. Dispatch does not have it." set:"create,update"`
	DeadLetter     string `about:"The queue for dead messages; none drops them. Dispatch does not have it." set:"create,update"`
}

// noPriority is a declaration that leaves it to each message.
const noPriority = -1

// declarationName is the name of the type of declarations.
const declarationName = "router.config.address"

var declarationType = changeable(newType(entityType{
	name: declarationName, base: configurationEntity, about: "What is declared of addresses.",
}, Model.Declarations, findDeclaration), changes[Declaration]{
	create: createDeclaration, update: updateDeclaration,
	remove: func(ctx context.Context, m Model, d Declaration) error { return m.Withdraw(ctx, d.Filter()) },
})

// Filter is what selects the addresses.
func (d Declaration) Filter() string { return strings.TrimPrefix(d.Identity, declarationName+"/") }

// findDeclaration takes a filter, a name, an identity, or a prefix alone for the filter that it means.
func findDeclaration(m Model, id string) (Declaration, bool) {
	id = strings.TrimPrefix(id, declarationName+"/")
	for _, form := range []string{"%s", "%s/#", "tokens:%s/#", "tokens:%s"} {
		if d, ok := m.Declaration(fmt.Sprintf(form, id)); ok {
			return d, true
		}
	}
	return Declaration{}, false
}

// NewDeclaration gives what is declared of a filter, by its kind and distribution.
func NewDeclaration(name addressing.Filter, kind addressing.Kind, distribution addressing.Distribution) Declaration {
	filter := name.String()
	d := Declaration{
		Names: Names{Name: filter, Identity: declarationName + "/" + filter},
		Kind:  kind.String(), Priority: noPriority,
		Distribution: DistributionOf(kind, distribution), Waypoint: isStored(kind),
	}
	pattern := strings.TrimPrefix(filter, "tokens:")
	if prefix, ok := strings.CutSuffix(pattern, "/#"); ok && !strings.ContainsAny(prefix, "*#") {
		d.Prefix = &prefix
	} else {
		d.Pattern = &pattern
	}
	return d
}

// text is the prefix or pattern.
func (d *Declaration) text() *string {
	if d.Prefix != nil {
		return d.Prefix
	}
	return d.Pattern
}

// Write has the prefix or pattern told as somebody has written it; empty leaves it as the filter has it.
func (d *Declaration) Write(text string) {
	if text != "" {
		*d.text() = text
	}
}

// Written is how the prefix or pattern is written, where the filter has it otherwise.
func (d *Declaration) Written() string {
	filter := strings.TrimPrefix(d.Filter(), "tokens:")
	if text := *d.text(); text != filter && text+"/#" != filter {
		return text
	}
	return ""
}

// DistributionOf gives Dispatch's word for who gets a message.
func DistributionOf(kind addressing.Kind, distribution addressing.Distribution) string {
	if kind == addressing.Broadcast || kind == addressing.Topic {
		return "multicast"
	}
	return distribution.String()
}

// Unavailable is the distribution of addresses that nobody can use.
const Unavailable = "unavailable"

// Form gives the kind and distribution that a declaration says.
func (d *Declaration) Form() (kind addressing.Kind, distribution addressing.Distribution, err error) {
	switch {
	case d.Distribution == "multicast" && d.Waypoint:
		kind = addressing.Topic
	case d.Distribution == "multicast":
		kind = addressing.Broadcast
	case d.Distribution == Unavailable && d.Waypoint:
		return 0, 0, faultf(statusBadRequest, "what is stored is not unavailable")
	case !slices.Contains([]string{"", "balanced", "closest", Unavailable}, d.Distribution):
		return 0, 0, faultf(statusBadRequest, "distribution %.40q is not one of balanced, closest, multicast, unavailable", d.Distribution)
	case d.Waypoint:
		kind = addressing.Queue
	default:
		kind = addressing.Anycast
		if d.Distribution == "closest" {
			distribution = addressing.Closest
		}
	}
	return kind, distribution, nil
}

// settle makes a declaration that was asked for whole: its name is its filter, and what says its kind agrees.
func (d *Declaration) settle(said saying) error {
	if err := d.checkOffered(said); err != nil {
		return err
	}
	name, err := d.filter()
	if err != nil {
		return err
	}
	if said("kind") {
		if err := d.takeKind(said); err != nil {
			return err
		}
	}
	kind, distribution, err := d.Form()
	if err != nil {
		return err
	}
	if d.EnableFallback && kind != addressing.Anycast {
		return faultf(statusBadRequest, "a fallback does not fit kind %v, only anycast", kind)
	}
	whole := NewDeclaration(name, kind, distribution)
	if d.Distribution != Unavailable {
		d.Distribution = whole.Distribution
	}
	d.Identity, d.Kind = whole.Identity, whole.Kind
	d.Name = cmp.Or(d.Name, whole.Name)
	if said("pattern") || said("prefix") { // as it was written
		return nil
	}
	written := d.Written()
	d.Prefix, d.Pattern = whole.Prefix, whole.Pattern
	d.Write(written)
	return nil
}

// checkOffered refuses what Dispatch has and is not here.
func (d *Declaration) checkOffered(said saying) error {
	switch {
	case d.IngressPhase != 0:
		return faultf(statusNotImplemented, "what clients send comes in at phase 0")
	case d.EgressPhase < 0 || d.EgressPhase > 9:
		return faultf(statusBadRequest, "egressPhase %d is not one of 0 to 9", d.EgressPhase)
	case said("priority") && (d.Priority < noPriority || d.Priority > 9):
		return faultf(statusBadRequest, "priority %d is not one of -1 to 9", d.Priority)
	}
	return nil
}

// takeKind has the kind say what distribution and waypoint are.
func (d *Declaration) takeKind(said saying) error {
	kind, err := addressing.ParseKind(d.Kind)
	switch {
	case err != nil || kind == addressing.AnyKind:
		return faultf(statusBadRequest, "kind %.40q is not one of anycast, broadcast, queue, topic", d.Kind)
	case said("distribution") || said("waypoint"):
		return faultf(statusBadRequest, "kind is in place of distribution and waypoint")
	}
	d.Distribution, d.Waypoint = DistributionOf(kind, addressing.Balanced), isStored(kind)
	return nil
}

func isStored(kind addressing.Kind) bool { return kind == addressing.Queue || kind == addressing.Topic }

// filter reads prefix or pattern.
func (d *Declaration) filter() (f addressing.Filter, err error) {
	switch {
	case (d.Prefix == nil) == (d.Pattern == nil):
		return f, faultf(statusBadRequest, "an address has either a prefix or a pattern")
	case d.Pattern != nil && strings.ContainsAny(*d.Pattern, "*#"):
		f, err = addressing.ParseTokens(*d.Pattern)
	case d.Pattern != nil:
		f, err = addressing.ParseFilter(*d.Pattern)
	case strings.ContainsAny(*d.Prefix, "*#"):
		return f, faultf(statusBadRequest, "a prefix has no wildcards; a pattern has")
	default:
		f, err = addressing.ParseTokens(strings.TrimSuffix(*d.Prefix, "/") + "/#")
	}
	if err != nil {
		return f, faultf(statusBadRequest, "%v", err)
	}
	return f, nil
}

func createDeclaration(ctx context.Context, m Model, d Declaration, said saying) (Declaration, error) {
	if !said("priority") {
		d.Priority = noPriority
	}
	if err := d.settle(said); err != nil {
		return d, err
	}
	return d, m.Declare(ctx, d)
}

func updateDeclaration(ctx context.Context, m Model, d Declaration, said saying) (Declaration, error) {
	if err := d.settle(said); err != nil {
		return d, err
	}
	return d, m.Redeclare(ctx, d)
}
