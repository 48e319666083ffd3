package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// Guard decides where hooks may connect to. Without it whoever declares one could make the gateway talk to servers that
// only the gateway can reach: server-side request forgery
// (https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
type Guard struct {
	AllowPrivate bool           // whether loopback and private networks may be connected to, but for what is never public
	Allow        []netip.Prefix // what may be connected to whatever else holds
}

// check implements net.Dialer.Control: it sees the number that is about to be connected to, after names are resolved.
func (g *Guard) check(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	if !g.allows(at) {
		return &refusal{at}
	}
	return nil
}

// refusal is the error of a connection that was not made.
type refusal struct{ at netip.Addr }

func (r *refusal) Error() string {
	return fmt.Sprintf("%s is not public: see http.webhooks.allowPrivate and http.webhooks.allow", r.at)
}

// allows tells whether an address may be connected to.
func (g *Guard) allows(at netip.Addr) bool {
	at = at.WithZone("").Unmap()
	in := func(p netip.Prefix) bool { return p.Contains(at) }
	switch {
	case slices.ContainsFunc(g.Allow, in):
		return true
	case slices.ContainsFunc(never, in):
		return false
	case slices.ContainsFunc(private, in):
		return g.AllowPrivate
	}
	if inner, ok := embedded(at); ok {
		return g.allows(inner)
	}
	return !at.Is6() || global.Contains(at)
}

// embedded gives the IPv4 address that an IPv6 one leads to, through a translator or a tunnel: RFC 6052 section 2.1 and RFC 3056
// section 2.
func embedded(at netip.Addr) (inner netip.Addr, ok bool) {
	b := at.As16()
	switch {
	case translated.Contains(at):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case tunnelled.Contains(at):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

var (
	translated = netip.MustParsePrefix("64:ff9b::/96")
	tunnelled  = netip.MustParsePrefix("2002::/16")
	global     = netip.MustParsePrefix("2000::/3") // all that is given out (RFC 4291 section 2.4)
)

// private are the networks of one machine or one house.
var private = prefixes(
	"127.0.0.0/8", "::1/128", // loopback
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
	"100.64.0.0/10", // RFC 6598
	"fc00::/7",      // RFC 4193
)

// never are the networks where no server is that is anybody's webhook (the IANA registries of special-purpose addresses), and
// where clouds tell machines their secrets.
var never = prefixes(
	"169.254.0.0/16", "fe80::/10", // link-local, with most clouds' metadata
	"fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", // other clouds' metadata
	"0.0.0.0/8", "::/128", // this host: RFC 1122 section 3.2.1.3
	"192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", // protocols, examples, benchmarks
	"224.0.0.0/4", "240.0.0.0/4", "ff00::/8", // multicast, reserved
	"2001::/23", "2001:db8::/32", // protocols, with tunnels that hide an address; examples
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}
