package vhost

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

var here = netip.MustParseAddr("10.0.0.5")

// register gives that of hosts.
func register(t *testing.T, p Policy) *Register {
	t.Helper()
	r, err := NewRegister(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestUsersAreInOneGroup(t *testing.T) {
	anywhere := []string{Anybody}
	h := Host{Name: "a", Groups: []Group{
		{Name: "keepers", Users: []string{"ann", "ben@realm"}, RemoteHosts: anywhere},
		{Name: "guests", Users: []string{Anonymous}, RemoteHosts: anywhere},
		{Name: Default, RemoteHosts: anywhere},
	}}
	unknown := h
	unknown.Name, unknown.AllowUnknownUser = "b", true
	everybody := h
	everybody.Name, everybody.Groups = "c", append(slices.Clone(h.Groups), Group{Name: "others", Users: anywhere, RemoteHosts: anywhere})
	r := register(t, Policy{Hosts: []Host{h, unknown, everybody}})
	for _, c := range []struct{ host, user, group string }{
		{"a", "ann", "keepers"}, {"a", "ben", "keepers"}, {"a", "", "guests"}, {"a", "cy", ""},
		{"b", "cy", Default}, {"b", "", "guests"}, {"c", "cy", "others"}, {"c", "ann", "keepers"},
	} {
		group := ""
		if v, err := r.Enter(Arrival{Host: c.host, User: c.user, Address: here}); err == nil {
			group = v.Group().Name
		} else if !errors.Is(err, ErrDenied) {
			t.Fatal(err)
		}
		if group != c.group {
			t.Errorf("%q at %s is in group %q, want %q", c.user, c.host, group, c.group)
		}
	}
}

func TestHostsAreFound(t *testing.T) {
	open := func(name string, aliases ...string) Host {
		return Host{Name: name, Aliases: aliases, AllowUnknownUser: true, Groups: []Group{{Name: Default, RemoteHosts: []string{Anybody}}}}
	}
	hosts := []Host{open("shop.example", "store.example"), open("$default"), open("")}
	plain := register(t, Policy{Hosts: hosts, DefaultHost: Default})
	strict := register(t, Policy{Hosts: hosts})
	patterns := register(t, Policy{Hosts: []Host{open("#.example", "*.sample"), open("a.example"), open(Default)}, NamePatterns: true, DefaultHost: Default})
	for _, c := range []struct {
		r          *Register
		name, want string
	}{
		{plain, "shop.example", "shop.example"}, {plain, "store.example", "shop.example"}, {plain, "x", Default}, {plain, "", ""},
		{strict, "store.example", "shop.example"}, {strict, "x", ""},
		{patterns, "a.example", "a.example"}, {patterns, "b.a.example", "#.example"}, {patterns, "x.sample", "#.example"},
		{patterns, "x.y.sample", Default}, {patterns, "example", "#.example"},
	} {
		if got := c.r.HostOf(c.name); got != c.want {
			t.Errorf("who asks for %q has come to %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAddressesOfAGroup(t *testing.T) {
	g, err := compileGroup(&Group{
		Sources: []string{"news/*", "tes*", "mine-${user}", "in.${user}.box"}, TargetPatterns: []string{"a.*.#", "${user}.x", "y/${user}", "#.z"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names *names
		user  string
		f     string
		want  bool
	}{
		{&g.sources, "ann", "news/today", true}, {&g.sources, "ann", "news", false}, {&g.sources, "ann", "testing", true},
		{&g.sources, "ann", "te", false}, {&g.sources, "ann", "mine-ann", true}, {&g.sources, "ann", "mine-ben", false},
		{&g.sources, "ann", "in.ann.box", true}, {&g.sources, "ann", "news/#", true}, {&g.sources, "ann", "news/*/x", true},
		{&g.sources, "ann", "#", false}, {&g.sources, "ann", "*/today", false}, {&g.sources, "", "mine-", true},
		{&g.sources, "mi*", "mine-ann", false}, {&g.sources, "*", "mine-ann", false},
		{&g.targets, "ann", "a/b", true}, {&g.targets, "ann", "a.b.c", true}, {&g.targets, "ann", "a", false},
		{&g.targets, "ann", "ann.x", true}, {&g.targets, "ben", "ann.x", false}, {&g.targets, "ann", "y.ann", true},
		{&g.targets, "*", "y/anybody", false}, {&g.targets, "a.b", "a.b.x", true /* by a.*.# */}, {&g.targets, "", "y/", false},
		{&g.targets, "ann", "a/#", false}, {&g.targets, "ann", "$q/z", true}, {&g.targets, "ann", "z", true},
	} {
		f, err := addressing.ParseFilter(c.f)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.names.allow(c.user, f); got != c.want {
			t.Errorf("%q may use %q: %v", c.user, c.f, got)
		}
	}
	everything := names{patterns: []pattern{{"#"}}}
	if !everything.allow("", management) || !(&names{texts: []string{"*"}}).allow("", management) {
		t.Error("# and * are not everything")
	}
}

func TestNameSpaceKeepsApart(t *testing.T) {
	h := Host{Name: "shop", AllowUnknownUser: true, Groups: []Group{{Name: Default, RemoteHosts: []string{Anybody}, Sources: []string{"a*"}, Targets: []string{"*"}}}}
	r := register(t, Policy{Hosts: []Host{h}})
	v, err := r.Enter(Arrival{Host: "shop", Address: here, Spaced: true})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string][2]bool{ // to receive from, and to send to
		"shop/a": {true, true}, "shop/b": {false, true}, "a": {false, false}, "shops/a": {false, false}, "$management": {false, false},
		"_local/a": {false, true}, "shop/*": {false, true}, "*/a": {false, false}, "#": {false, false},
	} {
		f, err := addressing.ParseFilter(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{v.MayReceive(f), v.MaySend(f)}; got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	if v.Manages() {
		t.Error("who has a name space manages the gateway")
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	two, one, none := 2, 1, 0
	at := func(a string) netip.Addr { return netip.MustParseAddr(a) }
	for _, c := range []struct {
		what string
		host Host
		who  []Arrival
		in   []bool
	}{
		{"all", Host{MaxConnections: &two}, []Arrival{{User: "a"}, {User: "b"}, {User: "c"}}, []bool{true, true, false}},
		{"nobody", Host{MaxConnections: &none}, []Arrival{{User: "a"}}, []bool{false}},
		{"of a user", Host{MaxConnectionsPerUser: &one}, []Arrival{{User: "a"}, {User: "b"}, {User: "a"}}, []bool{true, true, false}},
		{"of an origin", Host{MaxConnectionsPerHost: &one},
			[]Arrival{{Address: at("10.0.0.1")}, {Address: at("10.0.0.2")}, {Address: at("10.0.0.1")}}, []bool{true, true, false}},
		{"by the group", Host{MaxConnectionsPerUser: &one, Groups: []Group{{MaxConnectionsPerUser: &two}}},
			[]Arrival{{User: "a"}, {User: "a"}, {User: "a"}}, []bool{true, true, false}},
	} {
		if len(c.host.Groups) == 0 {
			c.host.Groups = make([]Group, 1)
		}
		c.host.AllowUnknownUser, c.host.Groups[0].Name, c.host.Groups[0].RemoteHosts = true, Default, []string{Anybody}
		r := register(t, Policy{Hosts: []Host{c.host}})
		var visits []*Visit
		denied := int64(0)
		for i, a := range c.who {
			if !a.Address.IsValid() {
				a.Address = here
			}
			v, err := r.Enter(a)
			if (err == nil) != c.in[i] {
				t.Errorf("%s: visit %d: %v", c.what, i, err)
			}
			if v == nil {
				denied++
			}
			visits = append(visits, v)
		}
		s := r.Stats()[0]
		if s.ConnectionsDenied != denied || s.ConnectionsCurrent != len(c.who)-int(denied) || r.Totals().ConnectionsDenied != denied {
			t.Errorf("%s: counted %+v, %+v", c.what, s, r.Totals())
		}
		for _, v := range visits {
			v.Leave()
		}
		if s := r.Stats()[0]; s.ConnectionsCurrent != 0 || len(s.PerUser)+len(s.PerHost) != 0 {
			t.Errorf("%s: all have left, and there are %+v", c.what, s)
		}
	}
}

func TestRemoteHosts(t *testing.T) {
	for written, places := range map[string]map[string]bool{
		"*":                 {"10.0.0.5": true, "::1": true},
		"10.0.0.1-10.0.0.9": {"10.0.0.1": true, "10.0.0.9": true, "10.0.0.10": false, "::1": false, "::ffff:10.0.0.5": true},
		"::1":               {"::1": true, "127.0.0.1": false},
	} {
		n, err := parseNetwork(written)
		if err != nil {
			t.Fatal(err)
		}
		for place, want := range places {
			if n.has(netip.MustParseAddr(place)) != want {
				t.Errorf("%s has %s: %v", written, place, !want)
			}
		}
	}
	if (network{}).has(netip.Addr{}) {
		t.Error("who is nowhere is somewhere")
	}
}

func TestHostsThatCannotBe(t *testing.T) {
	r := register(t, Policy{NamePatterns: true, Hosts: []Host{{Name: "#.0.0", Aliases: []string{"other"}}}})
	group := func(settings map[string]any) map[string]any {
		return map[string]any{"hostname": "x", "groups": map[string]any{"g": settings}}
	}
	for want, attributes := range map[string]map[string]any{
		"conflicting 'sources' and 'sourcePattern'": group(map[string]any{"sources": "a", "sourcePattern": "b"}),
		"conflicting 'targets' and 'targetPattern'": group(map[string]any{"targets": "a", "targetPattern": "b"}),
		"has to be a whole token":                   group(map[string]any{"sourcePattern": "abc-${user}"}),
		"as a prefix or a suffix only":              group(map[string]any{"sourcePattern": "abc/${user}.xyz"}),
		"is not an IP address":                      group(map[string]any{"remoteHosts": "10.0.0.0/8"}),
		"lower numeric address first":               group(map[string]any{"remoteHosts": "10.0.0.9-10.0.0.1"}),
		"is below minimum":                          {"hostname": "x", "maxConnections": -1},
		"above maximum":                             {"hostname": "x", "maxConnections": 70000},
		"does not resolve to an integer":            {"hostname": "x", "maxMessageSize": "much"},
		"illegal boolean":                           {"hostname": "x", "allowUnknownUser": "perhaps"},
		"default settings are not defined":          {"hostname": "x", "allowUnknownUser": true},
		"duplicates vhost name":                     {"hostname": "x", "aliases": "x"},
		"conflicts with an existing vhost":          {"hostname": "x", "aliases": "#.0.0"},
		"conflicts with existing alias":             {"hostname": "x", "aliases": "other"},
		"pattern conflicts":                         {"hostname": "#.#.0.0"},
		"must be of type 'dict'":                    {"hostname": "x", "groups": 7},
		"in multiple user groups": {"hostname": "x", "groups": map[string]any{
			"g": map[string]any{"users": "a@b"}, "h": map[string]any{"users": "a@c"},
		}},
	} {
		h, _, err := Read(attributes)
		if err == nil {
			err = r.Declare(h)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", attributes, err, want)
		}
	}
	below, small := -1, int64(-1)
	for want, h := range map[string]Host{ // as a configuration can say them
		"'maxConnections' is -1": {MaxConnections: &below}, "'maxMessageSize' is -1": {MaxMessageSize: &small},
		"user group 'g': option 'maxSenders' is -1, below 0":     {Groups: []Group{{Name: "g", MaxSenders: &below}}},
		"user group 'g': option 'maxReceivers' is -1, below 0":   {Groups: []Group{{Name: "g", MaxReceivers: &below}}},
		"user group 'g': option 'maxMessageSize' is -1, below 0": {Groups: []Group{{Name: "g", MaxMessageSize: &small}}},
		"user group 'g': option 'maxFrameSize' is -1, below 0":   {Groups: []Group{{Name: "g", MaxFrameSize: below}}},
	} {
		if err := r.Declare(h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if n := len(r.Policy().Hosts); n != 1 {
		t.Errorf("there are %d hosts", n)
	}
}

func TestWhatIsReadCanBeToldAndReadAgain(t *testing.T) {
	attributes := map[string]any{
		"hostname": "x", "aliases": "y, z", "maxConnections": 7.0, "maxMessageSize": "0", "allowUnknownUser": "yes", "wings": 2,
		"groups": `{"$default": {"users": "a, b, a", "remoteHosts": ["10.0.0.1", "::1"], "sources": "s", "targetPattern": "t.#",
			"maxSenders": 0, "maxFrameSize": 9000, "maxMessageSize": 5, "allowDynamicSource": true, "allowWaypointLinks": false, "tail": 1}}`,
	}
	h, unknown, err := Read(attributes)
	if err != nil || !slices.Equal(unknown, []string{"groups.$default.tail", "wings"}) {
		t.Fatalf("%v, %v", unknown, err)
	}
	g := h.Groups[0]
	if *h.MaxConnections != 7 || *h.MaxMessageSize != 0 || !h.AllowUnknownUser || !slices.Equal(g.Users, []string{"a", "b"}) ||
		*g.MaxSenders != 0 || g.MaxReceivers != nil || !g.AllowDynamicSource || !g.DenyWaypointLinks || g.DenyFallbackLinks {
		t.Errorf("%+v", h)
	}
	again, unknown, err := Read(map[string]any{"hostname": "x", "groups": h.GroupSettings()})
	if err != nil || len(unknown) > 0 || !slices.Equal(again.Groups[0].RemoteHosts, g.RemoteHosts) || *again.Groups[0].MaxSenders != 0 ||
		again.Groups[0].MaxFrameSize != 9000 || !again.Groups[0].DenyWaypointLinks {
		t.Errorf("%+v, %v, %v", again, unknown, err)
	}
}

func TestWhoHasComeInKeepsItsSettings(t *testing.T) {
	size := int64(10)
	h := Host{Name: "x", AllowUnknownUser: true, MaxMessageSize: &size, Groups: []Group{{Name: Default, RemoteHosts: []string{Anybody}, Sources: []string{"a"}}}}
	r := register(t, Policy{Hosts: []Host{h}, MaxMessageSize: 99})
	v, err := r.Enter(Arrival{Host: "x", Address: here})
	if err != nil {
		t.Fatal(err)
	}
	other := h
	other.MaxMessageSize, other.Groups = nil, []Group{{Name: Default, RemoteHosts: []string{Anybody}, Sources: []string{"b"}}}
	if err := r.Redeclare(other); err != nil {
		t.Fatal(err)
	}
	a := addressing.Address("a").Filter()
	if !v.MayReceive(a) || v.MaxMessageSize() != 10 {
		t.Error("the settings of a visit have changed")
	}
	later, err := r.Enter(Arrival{Host: "x", Address: here})
	if err != nil || later.MayReceive(a) || later.MaxMessageSize() != 99 {
		t.Errorf("a later visit has the former settings: %v", err)
	}
	if err := r.Withdraw("x"); err != nil || !errors.Is(r.Withdraw("x"), ErrUnknown) {
		t.Error(err)
	}
	if _, err := r.Enter(Arrival{Host: "x", Address: here}); !errors.Is(err, ErrDenied) {
		t.Errorf("a host that is gone lets in: %v", err)
	}
	later.Leave()
	if s := r.Stats()[0]; s.ConnectionsCurrent != 1 {
		t.Errorf("of a host that is gone are counted %+v", s)
	}
}

func FuzzPatterns(f *testing.F) {
	for _, s := range []string{"a.*.#", "${user}", "x/${user}", "#.#.#.#.#", "${user}.${user}", "10.0.0.1-10.0.0.2", ""} {
		f.Add(s, "ann")
	}
	f.Fuzz(func(t *testing.T, s, user string) {
		p, err := parsePattern(s)
		if err != nil {
			return
		}
		a := addressing.Address("a/b").Filter()
		(&names{patterns: []pattern{p}, texts: []string{s}}).allow(user, a)
		_, _ = parseNetwork(s)
		_ = simplest(s)
	})
}
