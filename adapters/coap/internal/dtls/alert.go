package dtls

import (
	"errors"
	"net/netip"

	"github.com/pion/dtls/v3/pkg/protocol/alert"
)

const (
	levelWarning = byte(alert.Warning)
	levelFatal   = byte(alert.Fatal)
	closeNotify  = byte(alert.CloseNotify)
)

// failure is why a handshake ends, and what its client is told (RFC 5246 section 7.2.2).
type failure struct {
	tell alert.Description
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func failed(tell alert.Description, text string) *failure { return &failure{tell, errors.New(text)} }

var (
	errTimeout       = errors.New("the handshake took too long")
	errCrowded       = errors.New("the handshake made room for newer ones")
	errFull          = errors.New("there are as many sessions as there may be")
	errNoCertificate = errors.New("there is no certificate of ours")
	errHurried       = errors.New("there are more handshakes with certificates than there may be in a second")
	errGivenUp       = errors.New("the client gave up the handshake")
	errMalformed     = failed(alert.DecodeError, "a malformed handshake message")
)

// refuse ends a handshake and tells its client.
func (s *Server) refuse(peer *Session, f *failure, h Handler) {
	hs := peer.handshake
	h.Send(peer.address, appendRecord(s.out[:0], kindAlert, version12, hs.plain(), []byte{levelFatal, byte(f.tell)}))
	s.fail(peer, f)
}

// alerted hears an alert that is not encrypted. It can only end a handshake, as nobody knows who has sent it.
func (s *Server) alerted(from netip.AddrPort, r record) {
	peer := s.handshakes[from]
	if peer != nil && isEnd(r.body) {
		s.fail(peer, errGivenUp)
	}
}

// isEnd tells whether an alert ends what it belongs to (RFC 5246 section 7.2).
func isEnd(content []byte) bool {
	return len(content) == 2 && (content[0] == levelFatal || content[1] == closeNotify)
}
