package proxy

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

// v2 is a header of version 2, of which rest is in hexadecimal digits.
func v2(t testing.TB, rest string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return signature2 + string(b)
}

// read feeds what follows to a header as much at a time as is asked for.
func read(text string) (h Header, rest string, err error) {
	seen := 0
	for {
		h, more, err := Next([]byte(text[:seen]))
		if err != nil || more == 0 {
			return h, text[seen:], err
		}
		if seen += more; seen > len(text) {
			return h, "", errNone
		}
	}
}

func TestHeadersAreRead(t *testing.T) {
	const addresses6 = "20010db8000000000000000000000001 20010db8000000000000000000000002 c633 1f90"
	for _, c := range []struct{ text, want string }{
		{"PROXY TCP4 192.0.2.1 198.51.100.1 50700 8080\r\n", "192.0.2.1:50700"},
		{"PROXY TCP6 2001:db8::1 2001:db8::2 50700 0\r\n", "[2001:db8::1]:50700"},
		{"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 50700 8080\r\n", "192.0.2.1:50700"},
		{"PROXY UNKNOWN\r\n", ""},
		{"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", ""},
		{v2(t, "21 11 000c c0000201 c6336401 c60c 1f90"), "192.0.2.1:50700"},
		{v2(t, "21 11 0014 c0000201 c6336401 c60c 1f90 02 0005 61636d65 20"), "192.0.2.1:50700"}, // the name of a host behind it
		{v2(t, "21 11 000e c0000201 c6336401 c60c 1f90 ffff"), "192.0.2.1:50700"},                // nonsense behind it
		{v2(t, "21 21 0024 "+addresses6), "[2001:db8::1]:50739"},
		{v2(t, "20 00 0000"), ""}, // LOCAL
		{v2(t, "20 11 000c c0000201 c6336401 c60c 1f90"), ""},
		{v2(t, "20 99 0003 010203"), ""},
		{v2(t, "21 00 0000"), ""},
		{v2(t, "21 31 00d8"+strings.Repeat("00", 216)), ""},
	} {
		h, rest, err := read(c.text + "PROXY")
		if got := h.Source; err != nil || got.IsValid() != (c.want != "") || c.want != "" && got != netip.MustParseAddrPort(c.want) {
			t.Errorf("%q: %v, %v, want %s", c.text, got, err, c.want)
		}
		if rest != "PROXY" {
			t.Errorf("%q: %q is left of what is behind it", c.text, rest)
		}
	}
}

func TestWhatIsNoHeaderIsRefused(t *testing.T) {
	for _, text := range []string{
		"GET / HTTP/1.1\r\n\r\n", "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcd",
		"PROXY TCP4 192.0.2.1 198.51.100.1 50700\r\n", "PROXY TCP4 192.0.2.1 198.51.100.1 50700 8080 x\r\n",
		"PROXY TCP4  192.0.2.1 198.51.100.1 50700 8080\r\n", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
		"PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n", "PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.1 65536 1\r\n", "PROXY TCP4 192.0.2.1 198.51.100.1 +1 1\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.1 01 1\r\n", "PROXY UDP4 192.0.2.1 198.51.100.1 1 1\r\n",
		"PROXY TCP4 192.0.2.1 198.51.100.1 1 1\nGET ", "proxy TCP4 192.0.2.1 198.51.100.1 1 1\r\n",
		"PROXY UNKNOWN" + strings.Repeat("x", 100) + "\r\n",
		v2(t, "11 11 000c c0000201 c6336401 c60c 1f90"), v2(t, "22 11 000c c0000201 c6336401 c60c 1f90"),
		v2(t, "21 11 000b c0000201 c6336401 c60c 1f"), v2(t, "21 21 000c c0000201 c6336401 c60c 1f90"),
		v2(t, "21 12 000c c0000201 c6336401 c60c 1f90"), v2(t, "21 11 ffff"),
	} {
		if h, _, err := read(text); err == nil {
			t.Errorf("%q is %v", text, h)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, text := range []string{
		"", "PROXY UNKNOWN\r\n", "PROXY TCP4 192.0.2.1 198.51.100.1 50700 8080\r\n", "PROXY TCP6 2001:db8::1 2001:db8::2 50700 0\r\n",
		v2(f, "21 11 000e c0000201 c6336401 c60c 1f90 ffff"), v2(f, "20 00 0000"), v2(f, "21 21 ffff"), "GET / HTTP/1.1\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		seen := 0
		for {
			h, more, err := Next(text[:seen])
			switch {
			case more < 0 || more > longest2 || err != nil && more != 0:
				t.Fatalf("after %d octets %d more are asked for: %v", seen, more, err)
			case err != nil:
				return
			case more == 0:
				if !Begins(text[:seen]) || seen > longest2 {
					t.Fatalf("%q is %v", text[:seen], h)
				}
				return
			}
			if seen += more; seen > len(text) {
				return
			}
		}
	})
}
