package network

import (
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/tenancy"
)

// Keys translates between addresses of tenants and how routers call them among each other.
//
// An address of the default tenant has its own name there, one of another tenant has that tenant's name as its first
// level, as the vhosts of Qpid Dispatch have. So an address of the default tenant whose first level is the name of a tenant
// stays at home, or it would be taken for one of theirs.
//
// A filter with wildcards is a name like any other, in the notation of [addressing.Filter.Canonical]: it is the name of no
// address, so that routers which know of no such thing have no message for it.
type Keys struct {
	Self      string // the id of this router
	Directory *tenancy.Directory
}

// Key gives the key of the addresses that a filter of a tenant selects, in a phase. It is false for what other routers are
// not to know.
func (k Keys) Key(tenant string, f addressing.Filter, phase uint8) (key protocol.Key, ok bool) {
	name, ok := f.Canonical()
	if !ok || strings.HasPrefix(name, "$") {
		return "", false
	}
	if tenant != tenancy.DefaultTenant {
		name = tenant + "/" + name
	} else if _, theirs, _ := k.tenant(name); theirs != name {
		return "", false
	}
	key = protocol.MobileKey(phase, name)
	return key, key.Told() && protocol.Locate(name, k.Self) == protocol.Place{Class: protocol.Mobile, Name: name}
}

// Split gives what a mobile key stands for here. It is false for other keys, and for text that is no address.
func (k Keys) Split(key protocol.Key) (tenant string, f addressing.Filter, phase uint8, ok bool) {
	if key.Class() != protocol.Mobile {
		return "", addressing.Filter{}, 0, false
	}
	tenant, name, ok := k.tenant(key.Name())
	if !ok {
		return "", addressing.Filter{}, 0, false
	}
	f, err := addressing.ParseCanonical(name)
	return tenant, f, key.Phase(), err == nil
}

// tenant takes the name of a tenant off the front of the name of an address. It is false for what names no address of it.
func (k Keys) tenant(name string) (tenant, rest string, ok bool) {
	first, rest, more := strings.Cut(name, "/")
	if _, theirs := k.Directory.Lookup(first); theirs && more {
		return first, rest, first != tenancy.DefaultTenant && rest != ""
	}
	return tenancy.DefaultTenant, name, true
}
