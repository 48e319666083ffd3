package webhook

import (
	"net/netip"
	"testing"
)

func TestOnlyPublicAddressesAreConnectedTo(t *testing.T) {
	house := Guard{AllowPrivate: true}
	listed := Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("169.254.169.254/32")}}
	for _, c := range []struct {
		address                string
		public, private, other bool // whether each guard lets it
	}{
		{"93.184.216.34", true, true, true},
		{"2606:2800:220:1:248:1893:25c8:1946", true, true, true},
		{"64:ff9b::5db8:d822", true, true, true},
		{"127.0.0.1", false, true, false},
		{"127.8.8.8", false, true, false},
		{"::1", false, true, false},
		{"::ffff:127.0.0.1", false, true, false},
		{"10.1.2.3", false, true, true},
		{"::ffff:10.1.2.3", false, true, true},
		{"10.2.2.3", false, true, false},
		{"172.16.0.1", false, true, false},
		{"172.32.0.1", true, true, true},
		{"192.168.1.1", false, true, false},
		{"100.64.0.1", false, true, false},
		{"fd12::1", false, true, false},
		{"64:ff9b::a00:1", false, true, false},
		{"2002:7f00:1::", false, true, false},
		{"169.254.169.254", false, false, true},
		{"::ffff:169.254.169.254", false, false, true},
		{"64:ff9b::a9fe:a9fe", false, false, true},
		{"fe80::1%eth0", false, false, false},
		{"fd00:ec2::254", false, false, false},
		{"100.100.100.200", false, false, false},
		{"168.63.129.16", false, false, false},
		{"0.0.0.0", false, false, false},
		{"::", false, false, false},
		{"224.0.0.1", false, false, false},
		{"255.255.255.255", false, false, false},
		{"ff02::1", false, false, false},
		{"fec0::1", false, false, false},
		{"::127.0.0.1", false, false, false},
		{"2001:0:102:304::1", false, false, false},
		{"2001:db8::1", false, false, false},
	} {
		at := netip.MustParseAddr(c.address)
		for _, g := range []struct {
			name  string
			guard Guard
			want  bool
		}{{"by default", Guard{}, c.public}, {"with allowPrivate", house, c.private}, {"with a list", listed, c.other}} {
			if got := g.guard.allows(at); got != g.want {
				t.Errorf("%s %s: %v, want %v", c.address, g.name, got, g.want)
			}
		}
	}
}
