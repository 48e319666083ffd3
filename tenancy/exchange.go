package tenancy

import (
	"bytes"
	"context"
	"unicode/utf8"
)

// Names of mechanisms: those of SASL (RFC 4422), which MQTT 5 uses for its enhanced authentication too.
const (
	MechanismExternal    = "EXTERNAL"      // RFC 4422, appendix A: who the certificate says
	MechanismSCRAMSHA512 = "SCRAM-SHA-512" // RFC 5802: a password that is proved and never sent
	MechanismSCRAMSHA256 = "SCRAM-SHA-256" // RFC 7677
	MechanismOAuthBearer = "OAUTHBEARER"   // RFC 7628: a token
	MechanismXOAuth2     = "XOAUTH2"       // https://developers.google.com/workspace/gmail/imap/xoauth2-protocol: a token
	MechanismPlain       = "PLAIN"         // RFC 4616: a name and a password as they are
	MechanismAnonymous   = "ANONYMOUS"     // RFC 4505
)

// Exchange is one authentication under way: what the client says goes in, what it is asked comes out, until it is let
// in or refused. It is used by one goroutine at a time, and never again after it has ended.
type Exchange interface {
	// Step takes what the client says; nil when it began without saying anything. The response is borrowed until Step
	// returns, which may take long, up to the end of ctx.
	//
	// With a nil Principal and no error the client has to answer challenge. With a Principal it is let in, and
	// challenge, if not nil, is what the mechanism adds to that. An error refuses it.
	Step(ctx context.Context, response []byte) (challenge []byte, p *Principal, err error)
}

// Mechanisms lists those that a visitor may choose from, the strongest first; there is always at least one. ANONYMOUS is
// among them only where some tenant that the visitor may want lets anybody in, and what sends a secret as it is only
// where nobody else can read it.
func (d *Directory) Mechanisms(v Visitor) []string {
	all := d.roll.Load()
	ways := all.ways
	if r, ok := all.realms[d.naming(v, "").name]; ok {
		ways = r.ways
	}
	passwords := len(ways.forms) > 0 || ways.tokenUser || ways.outside
	var names []string
	for _, m := range []struct {
		name    string
		offered bool
	}{
		{MechanismExternal, v.HasCertificate()},
		{MechanismSCRAMSHA512, ways.forms[SCRAMSHA512]},
		{MechanismSCRAMSHA256, ways.forms[SCRAMSHA256]},
		{MechanismOAuthBearer, ways.tokens && v.Private},
		{MechanismXOAuth2, ways.tokens && v.Private},
		{MechanismPlain, passwords && v.Private || !passwords && ways.anonymous},
		{MechanismAnonymous, ways.anonymous},
	} {
		if m.offered {
			names = append(names, m.name)
		}
	}
	if len(names) == 0 {
		names = []string{MechanismSCRAMSHA256} // nobody can enter, but they are not to be told
	}
	return names
}

// Begin starts an exchange. A mechanism that Mechanisms does not list is refused with its first step. A refusal comes late
// where failures are slowed down.
func (d *Directory) Begin(mechanism string, v Visitor) Exchange {
	return &watchedExchange{Exchange: d.begin(mechanism, v), directory: d, visitor: v}
}

func (d *Directory) begin(mechanism string, v Visitor) Exchange {
	switch mechanism {
	case MechanismExternal:
		return oneStep(func(_ context.Context, response []byte) (*Principal, error) {
			return d.byCertificate(v, string(response))
		})
	case MechanismAnonymous:
		return oneStep(func(context.Context, []byte) (*Principal, error) { return d.anonymous(v, "") })
	case MechanismPlain:
		return &plainExchange{directory: d, visitor: v}
	case MechanismSCRAMSHA256, MechanismSCRAMSHA512:
		return newSCRAMExchange(d, v, Form(mechanism))
	case MechanismOAuthBearer, MechanismXOAuth2:
		return &tokenExchange{directory: d, visitor: v, mechanism: mechanism}
	}
	return oneStep(func(context.Context, []byte) (*Principal, error) { return nil, ErrCredentials })
}

// watchedExchange is an exchange whose failure is noted.
type watchedExchange struct {
	Exchange
	directory *Directory
	visitor   Visitor
}

// Step implements Exchange.
func (e *watchedExchange) Step(ctx context.Context, response []byte) ([]byte, *Principal, error) {
	challenge, p, err := e.Exchange.Step(ctx, response)
	if err != nil {
		name := ""
		if named, ok := e.Exchange.(interface{ name() string }); ok {
			name = named.name()
		}
		e.directory.refuse(ctx, e.visitor, name, true, err)
	}
	return challenge, p, err
}

// oneStep is an exchange that needs to hear the client once, and also takes silence for an answer.
type oneStep func(ctx context.Context, response []byte) (*Principal, error)

// Step implements Exchange.
func (s oneStep) Step(ctx context.Context, response []byte) ([]byte, *Principal, error) {
	p, err := s(ctx, response)
	return nil, p, err
}

// plainExchange hears a name and a password (RFC 4616).
type plainExchange struct {
	directory *Directory
	visitor   Visitor
	user      string
}

func (e *plainExchange) name() string { return e.user }

// Step implements Exchange.
func (e *plainExchange) Step(ctx context.Context, response []byte) ([]byte, *Principal, error) {
	if response == nil { // it has to begin (RFC 4422 section 3.3)
		return []byte{}, nil, nil
	}
	user, password, ok := parsePlain(response)
	if !ok {
		return nil, nil, ErrCredentials
	}
	e.user = user
	p, err := e.directory.authenticate(ctx, Credentials{Visitor: e.visitor, User: user, Password: password})
	return nil, p, err
}

// parsePlain takes apart what PLAIN sends: [identity] NUL user NUL password. An identity other than the user's own is
// somebody else's, for whom nobody may act.
func parsePlain(response []byte) (user string, password []byte, ok bool) {
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 || !utf8.Valid(response) {
		return "", nil, false
	}
	if len(parts[0]) > 0 && !bytes.Equal(parts[0], parts[1]) {
		return "", nil, false
	}
	return string(parts[1]), parts[2], true
}
