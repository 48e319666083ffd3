package dtls

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

var client = netip.MustParseAddrPort("192.0.2.7:40000")

// outbox keeps what a server sends.
type outbox struct{ datagrams [][]byte }

func (o *outbox) Send(_ netip.AddrPort, p []byte)      { o.datagrams = append(o.datagrams, bytes.Clone(p)) }
func (o *outbox) Opened(time.Time, *Session)           {}
func (o *outbox) Received(time.Time, *Session, []byte) {}
func (o *outbox) Ended(time.Time, *Session)            {}

// newestKind gives the kind of the newest record, and what it begins with.
func (o *outbox) newestKind() (record, first byte) {
	if len(o.datagrams) == 0 {
		return 0, 0
	}
	p := o.datagrams[len(o.datagrams)-1]
	return p[0], p[recordHeader]
}

// hello makes the body of a ClientHello.
func hello(cookie []byte, suites ...uint16) []byte {
	var b cryptobyte.Builder
	b.AddUint16(versionMajor<<8 | uint16(version12))
	b.AddBytes(make([]byte, 32))
	b.AddUint8(0)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(cookie) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, s := range suites {
			b.AddUint16(s)
		}
	})
	b.AddUint8(1)
	b.AddUint8(0)
	return b.BytesOrPanic()
}

const pskCCM8 = 0xC0A8

// begin makes a server and has a client begin a handshake.
func begin(t testing.TB) (*Server, *outbox, time.Time) {
	t.Helper()
	s := NewServer(Config{PSK: func(string) ([]byte, bool) { return []byte("secret"), true }, Limits: DefaultLimits()})
	o, now := &outbox{}, time.Unix(1_800_000_000, 0)
	greet(t, s, o, now, client)
	return s, o, now
}

// greet has a client begin a handshake.
func greet(t testing.TB, s *Server, o *outbox, now time.Time, from netip.AddrPort) {
	t.Helper()
	handshakes := len(s.handshakes)
	send := func(sequence uint16, body []byte) {
		message := appendMessage(nil, typeClientHello, sequence, body)
		s.Receive(now, from, appendRecord(nil, kindHandshake, version10, uint64(sequence), message), o)
	}
	send(0, hello(nil, pskCCM8))
	if kind, first := o.newestKind(); kind != kindHandshake || first != typeHelloVerifyRequest || len(s.handshakes) != handshakes {
		t.Fatalf("got a record of kind %d that begins with %d", kind, first)
	}
	request := o.datagrams[len(o.datagrams)-1][recordHeader+messageHeader:]
	send(1, hello(request[3:3+request[2]], pskCCM8))
	if kind, first := o.newestKind(); kind != kindHandshake || first != typeServerHello || s.handshakes[from] == nil {
		t.Fatalf("got a record of kind %d that begins with %d", kind, first)
	}
}

func TestClientWithoutExtensionsGetsNone(t *testing.T) {
	_, o, _ := begin(t)
	message, _, ok := nextFragment(o.datagrams[len(o.datagrams)-1][recordHeader:])
	if want := 2 + 32 + 1 + 2 + 1; !ok || len(message.body) != want {
		t.Errorf("the ServerHello has %d octets, not %d", len(message.body), want)
	}
}

func TestHandshakesAreBounded(t *testing.T) {
	var failures []error
	limits := DefaultLimits()
	limits.MaxHandshakes, limits.RetransmitTimeout, limits.HandshakeTimeout = 2, time.Second, 10*time.Second
	s := NewServer(Config{
		PSK: func(string) ([]byte, bool) { return []byte("secret"), true }, Limits: limits,
		Failed: func(_ netip.AddrPort, err error) { failures = append(failures, err) },
	})
	o, now := &outbox{}, time.Unix(1_800_000_000, 0)
	for port := range uint16(3) {
		greet(t, s, o, now.Add(time.Duration(port)), netip.AddrPortFrom(client.Addr(), port))
	}
	if len(s.handshakes) != 2 || !slices.Equal(failures, []error{errCrowded}) {
		t.Fatalf("%d handshakes, failures %v", len(s.handshakes), failures)
	}
	sent := len(o.datagrams)
	for at := s.Deadline(); !at.IsZero(); at = s.Deadline() {
		s.Advance(at, o)
	}
	if !slices.Equal(failures, []error{errCrowded, errTimeout, errTimeout}) || len(s.handshakes) != 0 {
		t.Errorf("%d handshakes, failures %v", len(s.handshakes), failures)
	}
	if again := len(o.datagrams) - sent; again != 2*3 { // after 1, 3 and 7 seconds
		t.Errorf("flights were sent again %d times", again)
	}
}

func TestNoHandshakeIsBegunAboveTheSessions(t *testing.T) {
	s, o, now := begin(t)
	s.config.Limits.MaxSessions = 0
	before := len(s.handshakes)
	from := netip.AddrPortFrom(client.Addr(), 1)
	parsed, _ := parseHello(hello(nil, pskCCM8))
	body := hello(s.bakery.fresh(now, from, parsed), pskCCM8)
	s.Receive(now, from, appendRecord(nil, kindHandshake, version10, 1, appendMessage(nil, typeClientHello, 1, body)), o)
	if len(s.handshakes) != before {
		t.Error("a handshake was begun")
	}
}

// FuzzHandshake gives a server what a client might send that has proven its address.
func FuzzHandshake(f *testing.F) {
	f.Add(appendRecord(nil, kindHandshake, version12, 5, appendMessage(nil, typeClientKeyExchange, 2, []byte{0, 1, 'x'})))
	f.Add(appendRecord(nil, kindHandshake, version12, 5, appendFragment(nil, typeClientKeyExchange, 2, 3, 0, []byte{0})))
	f.Add(appendRecord(nil, kindAlert, version12, 5, []byte{levelFatal, 0}))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		s, o, now := begin(t)
		s.Receive(now, client, datagram, o)
		for at := s.Deadline(); !at.IsZero(); at = s.Deadline() {
			s.Advance(at, o)
		}
		if len(s.handshakes) > 0 || s.Sessions() > 0 {
			t.Fatal("something is left")
		}
	})
}

// FuzzRecord opens what was sealed, and what was changed after that.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("message"), []byte{}, uint16(0))
	f.Add([]byte(""), []byte("id"), uint16(20))
	var shared scratch
	both, err := suites()[0].protect(&shared, make([]byte, 16), []byte("salt"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, message, id []byte, at uint16) {
		if len(message) > maxPlaintext || len(id) > 0 && len(id) != len(connectionID{}) {
			return
		}
		sealed := both.seal(nil, kindData, 7, id, message)
		changed := bytes.Clone(sealed)
		r, rest, ok := nextRecord(sealed)
		if !ok || len(rest) > 0 {
			t.Fatalf("%x is no record", sealed)
		}
		if kind, content, ok := both.open(r); !ok || kind != kindData || !bytes.Equal(content, message) {
			t.Fatalf("%x came back as %x", message, content)
		}
		changed[int(at)%len(changed)] ^= 1
		if r, _, ok := nextRecord(changed); ok {
			if _, content, ok := both.open(r); ok {
				t.Fatalf("%x was taken after octet %d was changed", content, int(at)%len(changed))
			}
		}
	})
}

func TestCookieIsGoodForOneAddressAndHelloAndSomeTime(t *testing.T) {
	var b bakery
	now := time.Unix(1_800_000_000, 0)
	parsed, ok := parseHello(hello(nil, pskCCM8))
	if !ok {
		t.Fatal("the hello cannot be parsed")
	}
	parsed.cookie = b.fresh(now, client, parsed)
	other, _ := parseHello(hello(parsed.cookie, 0xC0A4))
	elsewhere := netip.AddrPortFrom(client.Addr(), 1)
	for name, c := range map[string]struct {
		now   time.Time
		from  netip.AddrPort
		hello *clientHello
		want  bool
	}{
		"as it was made":    {now, client, parsed, true},
		"a minute later":    {now.Add(time.Minute), client, parsed, true},
		"two minutes later": {now.Add(2 * time.Minute), client, parsed, false},
		"another port":      {now, elsewhere, parsed, false},
		"another offer":     {now, client, other, false},
	} {
		if got := b.knows(c.now, c.from, c.hello); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestHostileHandshakes(t *testing.T) {
	long := appendFragment(nil, typeClientKeyExchange, 2, 1<<24-1, 0, []byte{0})
	for name, c := range map[string]struct {
		body   []byte
		refuse bool
	}{
		"16 MiB are announced":            {long, true},
		"a message out of turn":           {appendMessage(nil, typeCertificateVerify, 2, []byte{0}), true},
		"Finished that is not encrypted":  {appendMessage(nil, typeFinished, 2, make([]byte, 12)), true},
		"an identity that is cut off":     {appendMessage(nil, typeClientKeyExchange, 2, []byte{0, 9, 'x'}), true},
		"a message from the future":       {appendMessage(nil, typeClientKeyExchange, 9, []byte{0, 1, 'x'}), false},
		"a fragment beyond its message":   {appendFragment(nil, typeClientKeyExchange, 2, 1, 1, []byte{0}), false},
		"a fragment with a hole before":   {appendFragment(nil, typeClientKeyExchange, 2, 9, 5, []byte{0}), false},
		"a header that is cut off":        {[]byte{typeClientKeyExchange, 0}, false},
		"a hello in pieces":               {appendFragment(nil, typeClientHello, 2, 100, 0, hello(nil, pskCCM8)), false},
		"a hello with a cookie of others": {appendMessage(nil, typeClientHello, 2, hello(make([]byte, cookieSize), pskCCM8)), false},
	} {
		s, o, now := begin(t)
		s.Receive(now, client, appendRecord(nil, kindHandshake, version12, 5, c.body), o)
		kind, first := o.newestKind()
		if refused := kind == kindAlert && first == levelFatal && len(s.handshakes) == 0; refused != c.refuse {
			t.Errorf("%s: refused %v", name, refused)
		}
		if hs := s.handshakes[client]; hs != nil && cap(hs.handshake.gathered) > 1024 {
			t.Errorf("%s: %d octets are held", name, cap(hs.handshake.gathered))
		}
	}
}

func TestHelloWithoutCommonGroundIsTold(t *testing.T) {
	s, o, now := begin(t)
	old := hello(nil, pskCCM8)
	binary.BigEndian.PutUint16(old, versionMajor<<8|uint16(version10))
	for _, body := range [][]byte{hello(nil, 0x1301), old} {
		send := func(body []byte) {
			s.Receive(now, client, appendRecord(nil, kindHandshake, version10, 9, appendMessage(nil, typeClientHello, 0, body)), o)
		}
		send(body)
		request := o.datagrams[len(o.datagrams)-1][recordHeader+messageHeader:]
		again := hello(request[3:3+request[2]], 0x1301)
		copy(again, body[:2])
		if body[1] == version10 {
			again = hello(request[3:3+request[2]], pskCCM8)
			copy(again, body[:2])
		}
		send(again)
		if kind, first := o.newestKind(); kind != kindAlert || first != levelFatal {
			t.Errorf("got a record of kind %d that begins with %d", kind, first)
		}
	}
}

func TestWindowTakesEachRecordOnce(t *testing.T) {
	var w window
	for _, step := range []struct {
		sequence      uint64
		fresh, newest bool
	}{
		{5, true, true}, {5, false, false}, {3, true, false}, {3, false, false}, {4, true, false}, {70, true, true},
		{6, false, false}, {7, true, false}, {7, false, false}, {1 << 40, true, true}, {70, false, false},
		{1<<40 - 63, true, false}, {1<<40 - 64, false, false},
	} {
		fresh := w.fresh(step.sequence)
		if fresh != step.fresh {
			t.Fatalf("%d is fresh: %v", step.sequence, fresh)
		}
		if fresh && w.take(step.sequence) != step.newest {
			t.Fatalf("%d is not what it should be", step.sequence)
		}
	}
}

func TestHellosThatAreNone(t *testing.T) {
	whole := hello([]byte("cookie"), pskCCM8)
	for n := range whole {
		if _, ok := parseHello(whole[:n]); ok {
			t.Errorf("%d octets of %d are one", n, len(whole))
		}
	}
	for name, more := range map[string][]byte{
		"half an extension":       {0},
		"only compressed points":  extension(extPointFormats, 1, 2),
		"half a list of groups":   extension(extGroups, 0, 4, 0, groupP256),
		"more behind a list":      extension(extGroups, 0, 2, 0, groupP256, 0),
		"a renegotiation":         extension(extRenegotiation, 1, 0),
		"an id that is too short": extension(extConnectionID, 2, 0),
	} {
		if _, ok := parseHello(append(append(bytes.Clone(whole), 0, byte(len(more))), more...)); ok {
			t.Errorf("one with %s is one", name)
		}
	}
	compressed := bytes.Clone(whole)
	compressed[len(compressed)-1] = 1
	if _, ok := parseHello(compressed); ok {
		t.Error("one that wants compression is one")
	}
	long := slices.Concat(whole[:34], []byte{33}, make([]byte, 33), whole[35:])
	if _, ok := parseHello(long); ok {
		t.Error("one with a session id of 33 octets is one")
	}
}
