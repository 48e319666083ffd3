package management

import (
	"context"
	"iter"
)

// Destination says where a link route or an automatic link leads: to a connection by its name, or to whoever calls himself
// so over one that he has made. The other one is empty.
type Destination struct {
	Connection  string `about:"The name of a connector." set:"create"`
	ContainerID string `attr:"containerId" about:"What the other side calls itself." set:"create"`
}

// check refuses a destination that is none, or two.
func (d Destination) check() error {
	if d.Connection != "" && d.ContainerID != "" {
		return faultf(statusBadRequest, "Both connection and containerId cannot be specified")
	}
	return nil
}

// Heading is which way a link goes. Dispatch has two names for it.
type Heading struct {
	Direction string `about:"in: messages come from there; out: they go there." set:"create"`
	Dir       string `about:"The same." set:"create"`
}

// settle makes the two agree.
func (h *Heading) settle() error {
	if h.Direction == "" {
		h.Direction = h.Dir
	}
	if h.Direction != "in" && h.Direction != "out" {
		return faultf(statusBadRequest, "direction %.40q is not one of in, out", h.Direction)
	}
	h.Dir = h.Direction
	return nil
}

// AutoLink is a link that the gateway keeps between an address of the tenant's and one elsewhere.
type AutoLink struct {
	Names
	Address string `about:"The tenant's address." set:"create"`
	Addr    string `about:"The same." set:"create"`
	Heading
	Destination
	Phase           int    `about:"At which phase of the address: out takes what is sent there, in sends it there. By itself out has 0, in has 1." set:"create"`
	ExternalAddress string `about:"The address elsewhere, if it is called otherwise." set:"create"`
	ExternalAddr    string `about:"The same." set:"create"`
	Fallback        bool   `about:"out: it takes what nobody else wants; in: what comes does not go there again." set:"create"`

	LinkRef    *string `about:"The identity of the link, of one that is active."`
	OperStatus string  `about:"inactive without a connection, attaching, failed, or active."`
	LastError  *string `about:"Why it is not there, where something has gone wrong."`
}

var autoLinkType = changeable(newType(entityType{
	name: "router.config.autoLink", base: configurationEntity,
	about: "A link that the gateway keeps between an address of the tenant's and one elsewhere.",
}, func(m Model, offset int) iter.Seq[AutoLink] { return slice(m.AutoLinks(), offset) }, nil), changes[AutoLink]{
	create: func(ctx context.Context, m Model, l AutoLink, said saying) (AutoLink, error) {
		if err := l.settle(said); err != nil {
			return l, err
		}
		return m.AddAutoLink(ctx, l)
	},
	remove: func(ctx context.Context, m Model, l AutoLink) error { return m.RemoveAutoLink(ctx, l.Identity) },
})

// settle makes a declaration that was asked for whole.
func (l *AutoLink) settle(said saying) error {
	if l.Address == "" {
		l.Address = l.Addr
	}
	if l.ExternalAddress == "" {
		l.ExternalAddress = l.ExternalAddr
	}
	l.Addr, l.ExternalAddr = l.Address, l.ExternalAddress
	if l.Address == "" {
		return faultf(statusBadRequest, "an auto link has an address")
	}
	if err := l.Heading.settle(); err != nil {
		return err
	}
	if !said("phase") && l.Direction == "in" {
		l.Phase = 1
	}
	if l.Phase < 0 || l.Phase > 9 {
		return faultf(statusBadRequest, "phase %d is not one of 0 to 9", l.Phase)
	}
	return l.Destination.check()
}
