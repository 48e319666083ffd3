package dispatch

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/network"
)

// address translates what happens at addresses.
func (t *translator) address(e *entity) error {
	name, err := e.pattern()
	if err != nil {
		return err
	}
	distribution, err := e.choice("balanced", distributions, "distribution")
	if err != nil {
		return err
	}
	a := config.Address{Name: name, Label: e.text("name"), Written: e.written(name)}
	if !setDistribution(&a, distribution) {
		a.Kind, a.Unavailable = addressing.Anycast, true
	}
	waypoint, err1 := e.flag(false, "waypoint")
	egress, err2 := e.number(0, "egressPhase", "outPhase")
	ingress, err3 := e.number(0, "ingressPhase", "inPhase")
	if err := firstError(err1, err2, err3); err != nil {
		return err
	}
	if waypoint {
		ingress, egress = 0, 1
	}
	if egress != 0 && a.Kind != addressing.Anycast {
		t.remark(e.Line, e.Type, "waypoint", "a multicast address has one phase only")
		egress = 0
	}
	a.EgressPhase = egress
	if ingress != 0 {
		t.remark(e.line("ingressPhase"), e.Type, "ingressPhase", "what clients send comes in at phase 0")
	}
	priority, err1 := e.number(addressing.OfMessage.Number(), "priority")
	fallback, err2 := e.flag(false, "enableFallback", "fallback")
	if err := firstError(err1, err2); err != nil {
		return err
	}
	if a.Priority, err = addressing.ParsePriority(strconv.Itoa(priority)); err != nil {
		return refusal("Invalid value for 'priority': %v", err)
	}
	if a.Fallback = fallback; fallback && a.Kind != addressing.Anycast {
		t.remark(e.Line, e.Type, "enableFallback", "a multicast address has no fallback destination")
		a.Fallback = false
	}
	if slices.ContainsFunc(t.tenant.Addresses, func(there config.Address) bool { return there.Name == name }) {
		t.remark(e.Line, e.Type, "", "%s is declared already, and the first one holds", name)
		return nil
	}
	t.tenant.Addresses = append(t.tenant.Addresses, a)
	return nil
}

// written is how the file writes the prefix or pattern, where its name has it otherwise.
func (e *entity) written(name addressing.Filter) string {
	text := cmp.Or(e.Value("prefix"), e.Value("pattern"))
	if text == strings.TrimSuffix(strings.TrimPrefix(name.String(), "tokens:"), "/#") {
		return ""
	}
	return text
}

// pattern gives what an entity applies to: a prefix or a pattern.
func (e *entity) pattern() (addressing.Filter, error) {
	prefix, pattern := e.text("prefix"), e.text("pattern")
	switch {
	case prefix != "" && pattern != "":
		return addressing.Filter{}, refusal("Both 'prefix' and 'pattern' cannot be specified")
	case prefix == "" && pattern == "":
		return addressing.Filter{}, refusal("Either a 'prefix' or a 'pattern' attribute is required")
	case prefix != "":
		return addressing.ParseTokens(strings.TrimRight(prefix, "./#*") + ".#")
	}
	return addressing.ParseTokens(pattern)
}

// autoLink translates a link that is kept to a container.
func (t *translator) autoLink(e *entity) error {
	l := config.AutoLink{
		Name: e.text("name"), Address: e.text("address", "addr"), Connector: e.text("connection"), ExternalAddress: e.text("externalAddress", "externalAddr"),
	}
	direction, err := e.choice("", []string{"in", "out"}, "direction", "dir")
	if err != nil {
		return err
	}
	l.Direction = network.Out
	phase := 0
	if direction == "in" {
		l.Direction, phase = network.In, 1
	}
	if l.Phase, err = e.number(phase, "phase"); err != nil {
		return err
	}
	if l.Fallback, err = e.flag(false, "fallback"); err != nil {
		return err
	}
	if l.Address == "" || direction == "" {
		return refusal("Missing required attribute 'address' or 'direction'")
	}
	t.autoLinks = append(t.autoLinks, pendingLink{l, e.text("containerId"), e.Line})
	return nil
}

// pendingLink is an automatic link that waits for all connectors to be known.
type pendingLink struct {
	link      config.AutoLink
	container string
	line      int
}

// placeAutoLinks adds the automatic links, now that the connectors are known.
func (t *translator) placeAutoLinks() {
	n := &t.out.Config.Network
	for i, p := range t.autoLinks {
		if p.link.Connector = t.leadsTo(p.line, "autoLink", p.link.Connector, p.container); p.link.Connector == "" {
			p.link.ContainerID = p.container
		}
		if p.link.Connector+p.link.ContainerID == "" {
			t.remark(p.line, "autoLink", "", "has neither connection nor containerId: there is never a link")
		}
		if slices.Contains(n.AutoLinks, p.link) {
			p.link.Name = fmt.Sprintf("autoLink/%d", i) // two that are alike are two links, as there
		}
		n.AutoLinks = append(n.AutoLinks, p.link)
	}
	for _, p := range t.linkRoutes {
		p.route.Connector = t.leadsTo(p.line, "linkRoute", p.route.Connector, p.route.ContainerID)
		if p.route.Connector != "" {
			p.route.ContainerID = "" // which says the same
		}
		n.LinkRoutes = append(n.LinkRoutes, p.route)
	}
}

// pendingRoute is a link route that waits for all connectors to be known.
type pendingRoute struct {
	route config.LinkRoute
	line  int
}

// leadsTo gives the connector or listener of a name that links lead to; empty where they lead to a container instead. There need
// not be one yet: management may make it.
func (t *translator) leadsTo(line int, entity, name, container string) string {
	c, listener := &t.out.Config, label(name)
	switch {
	case name == "", slices.ContainsFunc(c.Network.Connectors, func(c config.Connector) bool { return c.Name == name }):
		return name
	case slices.ContainsFunc(c.AMQP.Listeners, func(l config.AMQPListener) bool {
		return l.Name == listener && l.Role == config.RouteContainerRole
	}):
		return listener
	}
	t.remark(line, entity, "connection", "no connector %q is declared, unless management makes one", name)
	if container != "" {
		return ""
	}
	return name
}

// linkRoute translates links that lead to a container whole.
func (t *translator) linkRoute(e *entity) error {
	if _, err := e.pattern(); err != nil {
		return err
	}
	direction, err := e.choice("", []string{"in", "out"}, "direction", "dir")
	if err != nil {
		return err
	}
	t.linkRoutes = append(t.linkRoutes, pendingRoute{config.LinkRoute{
		Name: e.text("name"), Prefix: e.text("prefix"), Pattern: e.text("pattern"), Direction: direction,
		Connector: e.text("connection"), ContainerID: e.text("containerId"),
		AddExternalPrefix: e.text("addExternalPrefix"), DelExternalPrefix: e.text("delExternalPrefix"),
	}, e.Line})
	return nil
}
