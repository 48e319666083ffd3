package vhost

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
)

// stats are the counts of a host. The register's lock guards all but the denials of what is inside connections.
type stats struct {
	connections                            int
	connectionsApproved, connectionsDenied int64
	users, origins                         map[string]visits

	senderDenied, receiverDenied, sizeDenied atomic.Int64
}

// visits are some of those that are counted.
type visits map[*Visit]struct{}

func newStats() *stats {
	return &stats{users: make(map[string]visits), origins: make(map[string]visits)}
}

// enter counts a visit, if there is room.
func (s *stats) enter(v *Visit) error {
	most := func(of ...*int) int {
		for _, n := range of {
			if n != nil {
				return *n
			}
		}
		return unlimited
	}
	user, origin := v.arrival.User, v.arrival.Address.String()
	for _, room := range []struct {
		taken, most int
		what        string
	}{
		{s.connections, most(v.host.MaxConnections), "application connection limit"},
		{len(s.users[user]), most(v.group.MaxConnectionsPerUser, v.host.MaxConnectionsPerUser), "application per user limit"},
		{len(s.origins[origin]), most(v.group.MaxConnectionsPerHost, v.host.MaxConnectionsPerHost), "application per host limit"},
	} {
		if room.taken >= room.most && room.most < unlimited {
			s.connectionsDenied++
			return fmt.Errorf("%w: connection denied by %s", ErrDenied, room.what)
		}
	}
	s.connections++
	s.connectionsApproved++
	note(s.users, user, v)
	note(s.origins, origin, v)
	return nil
}

func note(all map[string]visits, key string, v *Visit) {
	if all[key] == nil {
		all[key] = make(visits)
	}
	all[key][v] = struct{}{}
}

func (s *stats) leave(v *Visit) {
	s.connections--
	strike(s.users, v.arrival.User, v)
	strike(s.origins, v.arrival.Address.String(), v)
}

// strike takes out a visit, and forgets a key when it has none.
func strike(all map[string]visits, key string, v *Visit) {
	delete(all[key], v)
	if len(all[key]) == 0 {
		delete(all, key)
	}
}

func (s *stats) tell(name string) Stats {
	return Stats{
		Host: name, ConnectionsApproved: s.connectionsApproved, ConnectionsDenied: s.connectionsDenied, ConnectionsCurrent: s.connections,
		SenderDenied: s.senderDenied.Load(), ReceiverDenied: s.receiverDenied.Load(), SizeDenied: s.sizeDenied.Load(),
		PerUser: connections(s.users), PerHost: connections(s.origins),
	}
}

func connections(all map[string]visits) map[string][]string {
	lists := make(map[string][]string, len(all))
	for key, some := range all {
		for v := range some {
			lists[key] = append(lists[key], v.arrival.Connection)
		}
		slices.Sort(lists[key])
	}
	return lists
}

// Visit is a client that has come in, under the settings that held then.
type Visit struct {
	register *Register
	arrival  Arrival
	host     *host
	group    *group
	stats    *stats
}

// Leave notes that the client has gone; called once. Nothing happens for a nil Visit.
func (v *Visit) Leave() {
	if v == nil {
		return
	}
	v.register.mu.Lock()
	defer v.register.mu.Unlock()
	v.stats.leave(v)
}

// Host is the name of the host by which the client has come in.
func (v *Visit) Host() string { return v.host.Name }

// Group is what the client may do. It is not to be changed.
func (v *Visit) Group() *Group { return v.group.Group }

// MaxMessageSize is how many bytes a message of the client may have; 0 for any number.
func (v *Visit) MaxMessageSize() int64 {
	switch {
	case v.group.MaxMessageSize != nil:
		return *v.group.MaxMessageSize
	case v.host.MaxMessageSize != nil:
		return *v.host.MaxMessageSize
	}
	return v.register.policy.MaxMessageSize
}

// MaySend tells whether the client may send to every address that f selects, as the router knows them.
func (v *Visit) MaySend(f addressing.Filter) bool { return v.may(&v.group.targets, f) }

// MayReceive tells the same of receiving.
func (v *Visit) MayReceive(f addressing.Filter) bool { return v.may(&v.group.sources, f) }

func (v *Visit) may(n *names, f addressing.Filter) bool {
	if !v.arrival.Spaced || IsBeyond(f.String()) {
		return n.allow(v.arrival.User, f)
	}
	inner, ok := strings.CutPrefix(f.String(), v.host.Name+"/")
	if !ok {
		return false
	}
	f, err := addressing.ParseFilter(inner)
	return err == nil && n.allow(v.arrival.User, f)
}

// management is where entities are asked for and changed.
var management = addressing.Address("$management").Filter()

// Manages tells whether the client may ask and change what the gateway is: who may send to where that is asked.
func (v *Visit) Manages() bool {
	return !v.arrival.Spaced && v.group.targets.allow(v.arrival.User, management)
}

// HasRoom tells whether the connection may have one more link, on which the client sends or else receives, beside so many.
func (v *Visit) HasRoom(beside int, sends bool) bool {
	most := v.group.MaxReceivers
	if sends {
		most = v.group.MaxSenders
	}
	return most == nil || beside < *most
}

// DeniesLink counts a link that the client was not given.
func (v *Visit) DeniesLink(sends bool) {
	v.register.links.Add(1)
	if sends {
		v.stats.senderDenied.Add(1)
	} else {
		v.stats.receiverDenied.Add(1)
	}
}

// DeniesSize counts a message that was too large.
func (v *Visit) DeniesSize() {
	v.register.large.Add(1)
	v.stats.sizeDenied.Add(1)
}

// beyond are what addresses begin with that are of routers, and in no host's name space.
var beyond = []string{"_local/", "_topo/", "_edge/"}

// IsBeyond tells whether an address, or a filter, is of routers, whatever the name space of who asks for it.
func IsBeyond(text string) bool {
	return slices.ContainsFunc(beyond, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}
