package dtls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// withID asks for a connection id of ours, and has none.
func withID() []byte { return extension(extConnectionID, 0) }

func TestPuppetIsServed(t *testing.T) {
	for name, extensions := range map[string][]byte{"without an id": nil, "with an id": withID()} {
		s := &stage{}
		p := newPuppet(t, onlyKeys(), s)
		peer := p.open(extensions)
		p.say("hello")
		if !slices.Equal(s.received, []string{"hello"}) || (peer.local != connectionID{}) != (extensions != nil) {
			t.Errorf("%s: received %q", name, s.received)
		}
	}
}

// A client that begins anew has its former session until the new one is open (RFC 6347 section 4.2.8).
func TestSessionGoesOnDuringTheNextHandshake(t *testing.T) {
	server, s := onlyKeys(), &stage{}
	before, after := newPuppet(t, server, s), newPuppet(t, server, s)
	first := before.open(nil)
	after.greet(pskCCM8, nil)
	after.exchange("secret")
	if answer := before.say("still here"); len(answer) > 0 || !slices.Equal(s.received, []string{"still here"}) {
		t.Errorf("answered by %x, received %q", answer, s.received)
	}
	after.finish()
	after.say("back")
	before.say("gone")
	if !slices.Equal(s.received, []string{"still here", "back"}) || !slices.Equal(s.ended, []*Session{first}) {
		t.Errorf("received %q, ended %d", s.received, len(s.ended))
	}
}

func TestNewSessionAtAnAddressEndsTheFormer(t *testing.T) {
	for name, extensions := range map[string][]byte{"without an id": nil, "with an id": withID()} {
		server, s := onlyKeys(), &stage{}
		first := newPuppet(t, server, s).open(nil)
		newPuppet(t, server, s).open(extensions)
		if !slices.Equal(s.ended, []*Session{first}) || server.Sessions() != 1 {
			t.Errorf("%s: %d sessions, %d ended", name, server.Sessions(), len(s.ended))
		}
	}
}

// The network may deliver a hello twice, and late.
func TestHelloThatComesLateOnceMoreDoesNoHarm(t *testing.T) {
	s := &stage{}
	p := newPuppet(t, onlyKeys(), s)
	p.greet(pskCCM8, nil)
	message, _, _ := nextFragment(p.transcript)
	again := appendMessage(nil, message.kind, message.sequence, message.body)
	if flight := p.plain(kindHandshake, again); len(flight) != 1 {
		t.Errorf("before the client goes on: answered by %x", flight)
	}
	p.exchange("secret")
	if flight := p.plain(kindHandshake, again); len(flight) != 0 {
		t.Errorf("after it: answered by %x", flight)
	}
	p.finish()
}

func TestFinishedIsRepeatedUntilTheFirstData(t *testing.T) {
	p := newPuppet(t, onlyKeys(), &stage{})
	p.greet(pskCCM8, nil)
	p.exchange("secret")
	finished := p.finished()
	record := p.seal(kindHandshake, finished)
	for _, same := range [][]byte{record, record, p.seal(kindHandshake, finished)} {
		if flight := p.receive(same); len(flight) != 1 || flight[0][0] != kindChangeCipherSpec {
			t.Errorf("Finished is answered by %x", flight)
		}
	}
	p.say("hello")
	for _, same := range [][]byte{record, p.seal(kindHandshake, finished)} {
		if flight := p.receive(same); len(flight) != 0 {
			t.Errorf("after data Finished is answered by %x", flight)
		}
	}
}

func TestRenegotiationIsDeclinedOnce(t *testing.T) {
	p := newPuppet(t, onlyKeys(), &stage{})
	p.open(nil)
	p.say("hello")
	record := p.seal(kindHandshake, appendMessage(nil, typeClientHello, 0, p.hello(nil, nil)))
	if answer := p.receive(record); len(answer) != 1 || answer[0][0] != kindAlert {
		t.Errorf("answered by %x", answer)
	}
	if answer := p.receive(record); len(answer) != 0 {
		t.Errorf("what is replayed is answered by %x", answer)
	}
}

func TestDataIsNotTakenBeforeFinished(t *testing.T) {
	for name, extensions := range map[string][]byte{"without an id": nil, "with an id": withID()} {
		s := &stage{}
		p := newPuppet(t, onlyKeys(), s)
		p.greet(pskCCM8, extensions)
		p.exchange("secret")
		early := p.seal(kindData, []byte("too early"))
		for range 2 {
			if answer := p.receive(early); len(answer) != 0 || len(s.received) != 0 {
				t.Errorf("%s: answered by %x, received %q", name, answer, s.received)
			}
		}
		p.finish()
	}
}

func TestDataThatIsTooOldIsDropped(t *testing.T) {
	s := &stage{}
	p := newPuppet(t, onlyKeys(), s)
	p.greet(pskCCM8, nil)
	p.exchange("secret")
	old := p.seal(kindData, []byte("old"))
	p.sequence += 64
	p.finish()
	p.receive(old)
	if len(s.received) > 0 {
		t.Errorf("received %q", s.received)
	}
}

func TestFinishedHasToBeEncrypted(t *testing.T) {
	s := &stage{}
	p := newPuppet(t, onlyKeys(), s)
	p.greet(pskCCM8, nil)
	p.exchange("secret")
	p.plain(kindHandshake, p.finished())
	if len(s.opened) > 0 {
		t.Error("the client was let in")
	}
}

// Clients behind one address keep apart by their connection ids.
func TestRecordsWithAnotherIDAreNotOfTheHandshake(t *testing.T) {
	server, s := onlyKeys(), &stage{}
	open, begins := newPuppet(t, server, s), newPuppet(t, server, s)
	open.open(withID())
	begins.greet(pskCCM8, withID())
	begins.exchange("secret")
	open.say("not mine")
	begins.finish()
	if !slices.Equal(s.received, []string{"not mine"}) || server.Sessions() != 2 {
		t.Errorf("received %q, %d sessions", s.received, server.Sessions())
	}
}

// Anybody can send an alert that is not encrypted, and a warning is none of an end.
func TestAlertsThatEndNothing(t *testing.T) {
	const canceled = 90
	s := &stage{}
	p := newPuppet(t, onlyKeys(), s)
	p.greet(pskCCM8, nil)
	p.plain(kindAlert, []byte{levelWarning, canceled})
	p.exchange("secret")
	p.finish()
	p.plain(kindAlert, []byte{levelFatal, 0})
	p.plain(kindAlert, []byte{levelWarning, closeNotify})
	p.receive(p.seal(kindAlert, []byte{levelWarning, canceled}))
	if len(s.ended) > 0 || p.server.Sessions() != 1 {
		t.Error("the session has ended")
	}
}

func TestClientThatBeginsAnewTakesNobodysPlace(t *testing.T) {
	var failures []error
	server := onlyKeys()
	server.config.Limits.MaxHandshakes = 1
	server.config.Failed = func(_ netip.AddrPort, err error) { failures = append(failures, err) }
	newPuppet(t, server, &stage{}).greet(pskCCM8, nil)
	newPuppet(t, server, &stage{}).greet(pskCCM8, nil)
	if !slices.Equal(failures, []error{errGivenUp}) {
		t.Errorf("failures %v", failures)
	}
}

func TestNamesAreBounded(t *testing.T) {
	for size, want := range map[int]bool{maxName: true, maxName + 1: false} {
		s := &stage{}
		p := newPuppet(t, onlyKeys(), s)
		p.identity = string(bytes.Repeat([]byte("i"), size))
		p.greet(pskCCM8, nil)
		if refused := len(p.exchange("secret")) > 0; refused == want {
			t.Errorf("an identity of %d octets is refused: %v", size, refused)
		}
		list := append([]byte{0, byte(size >> 8), byte(size)}, p.identity...)
		names := append([]byte{byte(len(list) >> 8), byte(len(list))}, list...)
		if _, ok := parseHello(p.hello(nil, extension(extServerName, names...))); ok != want {
			t.Errorf("a name of %d octets is taken: %v", size, ok)
		}
	}
}

// A record that is not encrypted must not look like one that is, however far its client has counted.
func TestNumbersOfPlainRecordsStayInTheirEpoch(t *testing.T) {
	p := newPuppet(t, onlyKeys(), &stage{})
	p.suite.id = pskCCM8
	request := p.send(typeClientHello, p.hello(nil, nil))[0][recordHeader+messageHeader:]
	p.records = maxSequence
	for _, datagram := range p.send(typeClientHello, p.hello(request[3:3+request[2]], nil)) {
		for rest := datagram; len(rest) > 0; {
			var r record
			if r, rest, _ = nextRecord(rest); r.epoch != 0 {
				t.Errorf("a plain record has epoch %d", r.epoch)
			}
		}
	}
}

func TestClientGetsNoExtensionThatItHasNotSent(t *testing.T) {
	certificate := selfSigned(t)
	groups, formats := extension(extGroups, 0, 2, 0, groupP256), extension(extPointFormats, 1, 0)
	for name, c := range map[string]struct{ sent, want []byte }{
		"none":          {[]byte{}, nil},
		"groups":        {groups, nil},
		"point formats": {slices.Concat(groups, formats), formats},
	} {
		server := NewServer(Config{Limits: DefaultLimits(), Certificate: func(string) (*tls.Certificate, error) { return certificate, nil }})
		greeting := newPuppet(t, server, &stage{}).greet(0xC02B, c.sent)[0].body
		const fixed = 2 + 32 + 1 + 2 + 1
		got := greeting[fixed:]
		if len(got) > 0 {
			got = got[2:]
		}
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: got the extensions %x", name, got)
		}
	}
}

// An empty key is one that everybody knows.
func TestEmptyKeyIsNone(t *testing.T) {
	s := &stage{}
	p := newPuppet(t, NewServer(Config{PSK: func(string) ([]byte, bool) { return nil, true }, Limits: DefaultLimits()}), s)
	p.greet(pskCCM8, nil)
	p.exchange("")
	p.receive(p.seal(kindHandshake, p.finished()))
	if len(s.opened) > 0 {
		t.Error("the client was let in")
	}
}

func TestHandshakeWithoutOurCertificateIsRefused(t *testing.T) {
	for name, give := range map[string]func(string) (*tls.Certificate, error){
		"an error": func(string) (*tls.Certificate, error) { return nil, errors.New("the disk is gone") },
		"nothing":  func(string) (*tls.Certificate, error) { return nil, nil },
		"no key":   func(string) (*tls.Certificate, error) { return &tls.Certificate{}, nil },
	} {
		p := newPuppet(t, NewServer(Config{Certificate: give, Limits: DefaultLimits()}), &stage{})
		p.suite.id = 0xC02B
		request := p.send(typeClientHello, p.hello(nil, nil))[0][recordHeader+messageHeader:]
		answer := p.send(typeClientHello, p.hello(request[3:3+request[2]], nil))
		if len(answer) != 1 || answer[0][0] != kindAlert {
			t.Errorf("%s: answered by %x", name, answer)
		}
	}
}

// Only a record that is newer than all others moves a client, and only its own.
func TestOlderRecordDoesNotMoveItsClient(t *testing.T) {
	s := &stage{}
	p := newPuppet(t, onlyKeys(), s)
	peer := p.open(withID())
	older, newer := p.seal(kindData, []byte("older")), p.seal(kindData, []byte("newer"))
	p.receive(newer)
	elsewhere := netip.AddrPortFrom(client.Addr(), 9)
	p.from = elsewhere
	p.receive(older)
	if !slices.Equal(s.received, []string{"newer", "older"}) || peer.Address() != client {
		t.Errorf("received %q at %v", s.received, peer.Address())
	}
	p.say("newest")
	if peer.Address() != elsewhere {
		t.Errorf("the client is at %v", peer.Address())
	}
}

func TestNoRecordFitsAbove48Bits(t *testing.T) {
	p := newPuppet(t, onlyKeys(), &stage{})
	peer := p.open(nil)
	peer.sequence = maxSequence
	if record := peer.Seal(nil, []byte("the last")); len(record) == 0 {
		t.Error("the last record is missing")
	}
	if record := peer.Seal(nil, []byte("one more")); len(record) != 0 {
		t.Errorf("got %x", record)
	}
	if record := peer.Close(nil); len(record) != 0 {
		t.Errorf("got %x", record)
	}
}

func TestSameNumberIsNeverUsedTwice(t *testing.T) {
	p := newPuppet(t, onlyKeys(), &stage{})
	p.greet(pskCCM8, nil)
	p.exchange("secret")
	finished := p.seal(kindHandshake, p.finished())
	seen := make(map[uint64]bool)
	note := func(datagrams ...[]byte) {
		t.Helper()
		for _, rest := range datagrams {
			for len(rest) > 0 {
				var r record
				r, rest, _ = nextRecord(rest)
				if r.epoch == 1 && seen[r.sequence] {
					t.Errorf("number %d is used twice", r.sequence)
				}
				seen[r.sequence] = seen[r.sequence] || r.epoch == 1
			}
		}
	}
	note(p.receive(finished)...)
	note(p.receive(finished)...)
	peer := p.stage.opened[0]
	note(peer.Seal(nil, []byte("hello")))
	note(p.receive(p.seal(kindHandshake, appendMessage(nil, typeClientHello, 0, p.hello(nil, nil))))...)
	note(p.receive(p.seal(kindAlert, []byte{levelWarning, closeNotify}))...)
	if len(seen) != 5 {
		t.Errorf("%d records were encrypted", len(seen))
	}
}

func TestProgressPutsTheRepetitionOff(t *testing.T) {
	s := &stage{}
	p := newPuppet(t, onlyKeys(), s)
	p.greet(pskCCM8, nil)
	patience := p.server.config.Limits.RetransmitTimeout
	p.now = p.now.Add(patience - 1)
	p.exchange("secret")
	p.server.Advance(p.now.Add(time.Second), s)
	if again := s.take(); len(again) > 0 {
		t.Errorf("the flight that was answered is sent again: %x", again)
	}
}

// Whoever has an address may have us sign; who has a key costs little, and is served all the same.
func TestHandshakesWithCertificatesKeepAPace(t *testing.T) {
	certificate := selfSigned(t)
	limits := DefaultLimits()
	limits.HandshakesPerSecond = 100
	server := NewServer(Config{
		PSK:         func(string) ([]byte, bool) { return []byte("secret"), true },
		Certificate: func(string) (*tls.Certificate, error) { return certificate, nil }, Limits: limits,
	})
	s, served, now := &stage{}, 0, time.Unix(1_800_000_000, 0)
	for i := range uint16(1000) { // in a second
		p := newPuppet(t, server, s)
		p.now, p.from = now.Add(time.Duration(i)*time.Millisecond), netip.AddrPortFrom(client.Addr(), i+1)
		p.suite.id = 0xC02B
		request := p.send(typeClientHello, p.hello(nil, nil))[0][recordHeader+messageHeader:]
		if len(p.send(typeClientHello, p.hello(request[3:3+request[2]], nil))) > 0 {
			served++
		}
		if i%10 == 0 {
			p := newPuppet(t, server, s)
			p.from = netip.AddrPortFrom(client.Addr(), i+2000)
			p.open(nil)
		}
	}
	if served < 100 || served > 111 {
		t.Errorf("%d handshakes began in a second", served)
	}
}

func TestFragmentsMayOverlapAndComeAgain(t *testing.T) {
	for name, pieces := range map[string][][2]int{
		"in order":         {{0, 3}, {3, 8}},
		"again":            {{0, 3}, {0, 3}, {0, 3}, {3, 8}},
		"overlapping":      {{0, 5}, {3, 7}, {2, 8}},
		"empty":            {{0, 0}, {0, 8}},
		"what comes early": {{3, 8}, {0, 3}, {3, 8}},
	} {
		p := newPuppet(t, onlyKeys(), &stage{})
		p.greet(pskCCM8, nil)
		p.withhold = true
		p.exchange("secret")
		whole, _, _ := nextFragment(p.transcript[len(p.transcript)-messageHeader-8:])
		for _, piece := range pieces {
			p.plain(kindHandshake, appendFragment(nil, whole.kind, whole.sequence, whole.length, piece[0], whole.body[piece[0]:piece[1]]))
		}
		if p.receive(p.seal(kindHandshake, p.finished())); len(p.stage.opened) != 1 {
			t.Errorf("%s: no session is opened", name)
		}
	}
}

func TestGoodbyeIsAnsweredAndAFatalAlertIsNot(t *testing.T) {
	for _, c := range []struct {
		alert   []byte
		answers int
	}{{[]byte{levelWarning, closeNotify}, 1}, {[]byte{levelFatal, 80}, 0}} {
		s := &stage{}
		p := newPuppet(t, onlyKeys(), s)
		peer := p.open(nil)
		if answer := p.receive(p.seal(kindAlert, c.alert)); len(answer) != c.answers || !slices.Equal(s.ended, []*Session{peer}) {
			t.Errorf("%x is answered by %x, %d sessions ended", c.alert, answer, len(s.ended))
		}
	}
}
