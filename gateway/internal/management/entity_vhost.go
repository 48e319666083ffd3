package management

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// VirtualHost is who may come in by a host name, and what he may do: see package vhost.
type VirtualHost struct {
	Names
	Hostname              string        `about:"The name that clients ask for, or a pattern of such." set:"create"`
	ID                    *string       `attr:"id" about:"What hostname was called once." set:"create"`
	Aliases               string        `about:"Further names, with commas between." set:"create,update"`
	MaxConnections        int           `about:"At once." set:"create,update"`
	MaxMessageSize        *int64        `about:"Bytes; none is the policy's, 0 is no limit." set:"create,update"`
	MaxConnectionsPerUser int           `about:"Of one user." set:"create,update"`
	MaxConnectionsPerHost int           `about:"From one address of origin." set:"create,update"`
	AllowUnknownUser      bool          `about:"Whether who is in no group is in the one called $default." set:"create,update"`
	Groups                amqp.RawValue `about:"The groups of users by name, each a map of vhostUserGroupSettings." set:"create,update"`
}

func (h VirtualHost) is(id string) bool { return h.Names.is(id) || h.Hostname == id }

// manyConnections is what stands for no limit of connections.
const manyConnections = 65535

// virtualHostName is the name of the type of virtual hosts.
const virtualHostName = "vhost"

var virtualHostType = changeable(newType(entityType{
	name: virtualHostName, base: configurationEntity, about: "Who may come in by a host name, and what he may do.",
}, func(m Model, offset int) iter.Seq[VirtualHost] {
	var all []VirtualHost
	for _, h := range m.VirtualHosts() {
		all = append(all, newVirtualHost(&h))
	}
	return slice(all, offset)
}, nil), changes[VirtualHost]{
	defaults: VirtualHost{
		MaxConnections: manyConnections, MaxConnectionsPerUser: manyConnections, MaxConnectionsPerHost: manyConnections,
	},
	create: func(ctx context.Context, m Model, h VirtualHost, said saying) (VirtualHost, error) {
		if h.Hostname == "" && h.ID != nil {
			h.Hostname = *h.ID
		}
		if h.Hostname == "" && !said("hostname") {
			return h, faultf(statusBadRequest, "the attribute hostname is missing")
		}
		declared, err := h.host()
		if err == nil {
			err = asPolicyError(m.DeclareVirtualHost(ctx, declared))
		}
		return calledAs(h, declared), err
	},
	update: func(ctx context.Context, m Model, h VirtualHost, _ saying) (VirtualHost, error) {
		declared, err := h.host()
		if err == nil {
			err = asPolicyError(m.RedeclareVirtualHost(ctx, declared))
		}
		return calledAs(h, declared), err
	},
	remove: func(ctx context.Context, m Model, h VirtualHost) error {
		return asPolicyError(m.WithdrawVirtualHost(ctx, h.Hostname))
	},
})

// newVirtualHost describes a declaration.
func newVirtualHost(h *vhost.Host) VirtualHost {
	limit := func(n *int) int {
		if n == nil {
			return manyConnections
		}
		return *n
	}
	identity := virtualHostName + "/" + h.Name
	return VirtualHost{
		Names: Names{Name: identity, Identity: identity}, Hostname: h.Name, Aliases: strings.Join(h.Aliases, ", "),
		MaxConnections: limit(h.MaxConnections), MaxConnectionsPerUser: limit(h.MaxConnectionsPerUser),
		MaxConnectionsPerHost: limit(h.MaxConnectionsPerHost), MaxMessageSize: h.MaxMessageSize,
		AllowUnknownUser: h.AllowUnknownUser, Groups: encoded(h.GroupSettings()),
	}
}

// host gives the declaration that an entity describes.
func (h *VirtualHost) host() (vhost.Host, error) {
	attributes := map[string]any{
		"hostname": h.Hostname, "aliases": h.Aliases, "maxConnections": h.MaxConnections,
		"maxConnectionsPerUser": h.MaxConnectionsPerUser, "maxConnectionsPerHost": h.MaxConnectionsPerHost,
		"allowUnknownUser": h.AllowUnknownUser, "groups": plain(h.Groups.Value()),
	}
	if h.MaxMessageSize != nil {
		attributes["maxMessageSize"] = *h.MaxMessageSize
	}
	declared, _, err := vhost.Read(attributes)
	if err != nil {
		return declared, faultf(statusInternal, "PolicyError: Policy '%s' is invalid: %v", h.Hostname, err)
	}
	return declared, nil
}

// calledAs gives an entity as it is called from now on.
func calledAs(h VirtualHost, declared vhost.Host) VirtualHost {
	made := newVirtualHost(&declared)
	made.Name = cmp.Or(h.Name, made.Name)
	return made
}

// asPolicyError gives what is wrong with a virtual host the status that Dispatch's clients know.
func asPolicyError(err error) error {
	switch {
	case errors.Is(err, vhost.ErrExists):
		return faultf(statusBadRequest, "Duplicate value for unique attribute 'hostname': %v", err)
	case errors.Is(err, vhost.ErrUnknown):
		return faultf(statusNotFound, "%v", err)
	case errors.Is(err, vhost.ErrInvalid):
		return faultf(statusInternal, "%v", err)
	}
	return err
}

// plain gives a value of AMQP as encoding/json has it, but for numbers.
func plain(v any) any {
	switch v := v.(type) {
	case amqp.Map:
		m := make(map[string]any, len(v))
		for _, e := range v {
			if key, ok := e.Key.(string); ok {
				m[key] = plain(e.Value)
			}
		}
		return m
	case amqp.List:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	}
	return v
}

// encoded gives a map of texts, numbers, flags and such maps and lists as AMQP has it.
func encoded(m map[string]any) amqp.RawValue {
	raw, err := amqp.AppendAny(nil, coded(m))
	if err != nil {
		panic(err) // all of these have a form in AMQP
	}
	return raw
}

func coded(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(amqp.Map, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			m = append(m, amqp.Entry{Key: key, Value: coded(v[key])})
		}
		return m
	case []string:
		list := make(amqp.List, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list
	}
	return v
}

// GroupSettings are those of a group of users, which is no entity of its own but in the map of its virtual host. The type tells
// tools what there may be.
type GroupSettings struct {
	Names
	Users                  string `about:"Who is in the group; * is everybody who is in no other."`
	RemoteHosts            string `about:"Where they may be: addresses, ranges with a hyphen, or *."`
	Sources                string `about:"What they may receive from; a last * stands for any text, and ${user} for the user's name."`
	Targets                string `about:"What they may send to."`
	SourcePattern          string `about:"In place of sources: patterns of tokens."`
	TargetPattern          string `about:"In place of targets: patterns of tokens."`
	MaxConnectionsPerUser  *int   `about:"In place of that of the virtual host."`
	MaxConnectionsPerHost  *int   `about:"In place of that of the virtual host."`
	MaxMessageSize         *int   `about:"Bytes; in place of that of the virtual host."`
	MaxFrameSize           *int   `about:"Bytes."`
	MaxSessionWindow       *int   `about:"Bytes."`
	MaxSessions            *int   `about:"Of a connection."`
	MaxSenders             *int   `about:"Links of a connection on which the client sends."`
	MaxReceivers           *int   `about:"Links of a connection on which the client receives."`
	AllowDynamicSource     bool   `about:"Whether they may have temporary addresses."`
	AllowAnonymousSender   bool   `about:"Whether they may have links whose messages say where they go."`
	AllowUserIDProxy       bool   `attr:"allowUserIdProxy" about:"Whether their messages may name another user."`
	AllowWaypointLinks     bool   `about:"Whether they may be waypoints."`
	AllowFallbackLinks     bool   `about:"Whether they may be fallback destinations."`
	AllowDynamicLinkRoutes bool   `about:"Whether they may make link routes that end with their connection."`
	AllowAdminStatusUpdate bool   `about:"Whether they may close connections."`
}

var groupSettingsType = newType(entityType{
	name: "vhostUserGroupSettings", base: configurationEntity, about: "The settings of a group of users, in the map of its virtual host.",
}, func(_ Model, offset int) iter.Seq[GroupSettings] { return slice[GroupSettings](nil, offset) }, nil)

// VirtualHostStats is what has become of those who came in by a virtual host.
type VirtualHostStats struct {
	Names
	ID       string `attr:"id" about:"What hostname was called once."`
	Hostname string `about:"The name of the virtual host."`

	ConnectionsApproved  int64         `about:"Connections that came in."`
	ConnectionsDenied    int64         `about:"Connections that did not."`
	ConnectionsCurrent   int           `about:"Connections of now."`
	PerUserState         amqp.RawValue `about:"The connections of each user."`
	PerHostState         amqp.RawValue `about:"The connections from each address of origin."`
	SessionDenied        int64         `about:"Always 0: who begins more sessions than he may loses his connection."`
	SenderDenied         int64         `about:"Links that were refused on which the client sends."`
	ReceiverDenied       int64         `about:"Links that were refused on which the client receives."`
	MaxMessageSizeDenied int64         `about:"Messages that were too large."`
}

var virtualHostStatsType = newType(entityType{
	name: "vhostStats", base: operationalEntity, about: "What has become of those who came in by a virtual host.",
}, func(m Model, offset int) iter.Seq[VirtualHostStats] {
	var all []VirtualHostStats
	for _, s := range m.VirtualHostStats() {
		identity := "vhostStats/" + s.Host
		all = append(all, VirtualHostStats{
			Names: Names{Name: identity, Identity: identity}, ID: s.Host, Hostname: s.Host,
			ConnectionsApproved: s.ConnectionsApproved, ConnectionsDenied: s.ConnectionsDenied, ConnectionsCurrent: s.ConnectionsCurrent,
			PerUserState: encoded(listed(s.PerUser)), PerHostState: encoded(listed(s.PerHost)),
			SenderDenied: s.SenderDenied, ReceiverDenied: s.ReceiverDenied, MaxMessageSizeDenied: s.SizeDenied,
		})
	}
	return slice(all, offset)
}, nil)

func listed(lists map[string][]string) map[string]any {
	m := make(map[string]any, len(lists))
	for key, list := range lists {
		m[key] = list
	}
	return m
}
