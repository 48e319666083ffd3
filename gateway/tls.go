package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/pki"
	"github.com/manifoldmq/manifold/gateway/internal/prelude"
	"github.com/manifoldmq/manifold/tenancy"
)

// security is what handshakes go by, and who hears of those that fail.
type security struct {
	lowest    uint16       // version
	spoken    []uint16     // versions, the lowest first, if they are not all from the lowest on
	keyring   *pki.Keyring // nil without TLS
	trust     *pki.Trust
	names     *pki.Names // of users at one listener; nil for those that the authorities say
	only      *pki.Trust // of those, whose certificates are good at one listener; nil for all
	routers   *pki.Trust // of routers, of whom any comes in by a certificate; that of nobody where none does
	directory *tenancy.Directory
	log       *slog.Logger
}

// openSecurity reads the files of certificates.
func openSecurity(c *config.Config, directory *tenancy.Directory, log *slog.Logger) (*security, error) {
	s := &security{
		lowest: c.TLS.LowestVersion(), trust: pki.NewTrust(log), routers: pki.NewTrust(log), directory: directory, log: log,
	}
	directory.Certify(s.trust)
	if c.Network.Router.Certified {
		anchors, err := s.routers.Prepare(c.Authorities(nil))
		if err != nil {
			return nil, err
		}
		s.routers.Use(anchors)
	}
	use, err := s.prepare(c.Authorities(c.Tenants))
	if err != nil {
		return nil, err
	}
	use()
	if c.TLS.Enabled() {
		s.keyring, err = pki.OpenKeyring(c.TLS.Pairs(), c.TLS.OCSPStapling, log)
	}
	return s, err
}

// prepare reads the files of authorities, which are trusted in place of all others when use is called.
func (s *security) prepare(declared []pki.Authority) (use func(), err error) {
	anchors, err := s.trust.Prepare(declared)
	if err != nil {
		return nil, err
	}
	return func() { s.trust.Use(anchors) }, nil
}

// chores look at files and at servers of OCSP until ctx ends.
func (s *security) chores() (all []func(context.Context) error) {
	if s.keyring == nil { // listeners may have certificates of their own
		return []func(context.Context) error{
			func(ctx context.Context) error { s.trust.Run(ctx); return nil },
			func(ctx context.Context) error { s.routers.Run(ctx); return nil },
		}
	}
	return []func(context.Context) error{
		func(ctx context.Context) error { s.keyring.Run(ctx, s.trust, s.routers); return nil },
		func(ctx context.Context) error { s.keyring.Staple(ctx); return nil },
	}
}

// config is what a door shakes hands by. protocols are those of ALPN that it knows (RFC 7301). A client that offers none
// of them is served all the same: many have names of their own for what they speak.
func (s *security) config(clientAuth tls.ClientAuthType, protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: s.lowest,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			lowest, highest, err := s.versions(hello.SupportedVersions)
			if err != nil {
				return nil, err
			}
			c := &tls.Config{
				MinVersion: lowest, MaxVersion: highest, ClientAuth: clientAuth, GetCertificate: s.keyring.Certificate,
				VerifyConnection: func(state tls.ConnectionState) error { return s.verify(state.PeerCertificates) },
			}
			for _, p := range protocols {
				if slices.Contains(hello.SupportedProtos, p) {
					c.NextProtos = append(c.NextProtos, p)
				}
			}
			return c, nil
		},
	}
}

// versions gives the lowest and the highest version to speak with a client that knows some; a highest of 0 is the newest.
func (s *security) versions(known []uint16) (lowest, highest uint16, err error) {
	if len(s.spoken) == 0 {
		return s.lowest, 0, nil
	}
	for _, v := range slices.Backward(s.spoken) {
		if v != 0 && slices.Contains(known, v) { // 0 is none, whatever a client says
			return v, v, nil
		}
	}
	return 0, 0, errNoVersion
}

var errNoVersion = errors.New("the client speaks no version of TLS that is spoken here")

// verify tells why the certificate of a client is not good; none is.
func (s *security) verify(certificates []*x509.Certificate) error {
	if len(certificates) == 0 {
		return nil
	}
	if s.only != nil {
		if err := s.only.Verify(certificates); err != nil {
			return err
		}
	}
	return s.trust.Verify(certificates)
}

// after has a door served behind what comes before its protocol: the header of a proxy, and TLS if the listener's name says
// so. A client has patience for that.
func (a *assembly) after(
	name string, patience time.Duration, serve func(context.Context, net.Listener) error, protocols ...string,
) func(context.Context, net.Listener) error {
	return a.behind(a.security, a.settingsOf(name), patience, serve, protocols...)
}

// behind is after for a listener with these settings, which may have a security of its own.
func (a *assembly) behind(
	s *security, l config.Listener, patience time.Duration, serve func(context.Context, net.Listener) error, protocols ...string,
) func(context.Context, net.Listener) error {
	steps := prelude.Steps{Proxies: l.Proxies, Patience: patience, Failed: s.failed(l.Name)}
	if l.Secured {
		steps.TLS, steps.Either = s.config(a.config.ClientAuthOf(l), protocols...), l.Either
	}
	if steps.None() {
		return serve
	}
	return func(ctx context.Context, ln net.Listener) error {
		prepared := prelude.Listen(ln, steps)
		defer prepared.Close()
		return serve(ctx, prepared)
	}
}

// settingsOf gives what is configured for a listener.
func (a *assembly) settingsOf(name string) config.Listener {
	all := a.config.Listeners()
	return all[slices.IndexFunc(all, func(l config.Listener) bool { return l.Name == name })]
}

// at is the security of a listener. setting says where it is declared.
func (s *security) at(t *config.ListenerTLS, setting string, staple bool) (*security, error) {
	other := *s
	var err error
	if t.Certificate != "" {
		if other.keyring, err = pki.OpenKeyring([]pki.Pair{t.Pair(setting)}, staple, s.log); err != nil {
			return nil, err
		}
	}
	if t.User != "" {
		if other.names, err = pki.OpenNames(pki.Field(t.User), t.UserNames); err != nil {
			return nil, fmt.Errorf("%s.userNames: %w", setting, err)
		}
	}
	if t.CA != "" {
		other.only = pki.NewTrust(s.log)
		anchors, err := other.only.Prepare(t.Authority(setting))
		if err != nil {
			return nil, err
		}
		other.only.Use(anchors)
	}
	other.spoken = t.Spoken()
	return &other, nil
}

// chosen looks at the files that are a listener's own, beside those of another security, until ctx ends.
func (s *security) chosen(beside *security) (all []func(context.Context) error) {
	if s.keyring != beside.keyring {
		all = append(all, func(ctx context.Context) error { s.keyring.Run(ctx); return nil },
			func(ctx context.Context) error { s.keyring.Staple(ctx); return nil })
	}
	if s.only != nil {
		all = append(all, func(ctx context.Context) error { s.only.Run(ctx); return nil })
	}
	return all
}

// userOf names the users of certificates at one listener; nil leaves it to their authorities.
func (s *security) userOf() func(*x509.Certificate) (string, error) {
	if s.names == nil {
		return nil
	}
	return s.names.UserOf
}

// showing is the security of a listener that has a certificate of its own.
func (s *security) showing(pair pki.Pair, staple bool) (*security, error) {
	keyring, err := pki.OpenKeyring([]pki.Pair{pair}, staple, s.log)
	other := *s
	other.keyring = keyring
	return &other, err
}

// attended has the files of certificates be looked at while a door is served.
func (s *security) attended(serve func(context.Context, net.Listener) error) func(context.Context, net.Listener) error {
	return func(ctx context.Context, l net.Listener) error {
		var looking sync.WaitGroup
		defer looking.Wait()
		attending, stop := context.WithCancel(ctx)
		defer stop()
		for _, chore := range s.chores() {
			looking.Go(func() { _ = chore(attending) }) // it ends with the context
		}
		return serve(ctx, l)
	}
}

// protocolNames are what the protocols of doors are called.
var protocolNames = map[string]string{"mqtt": "MQTT", "ws": "MQTT", "amqp": "AMQP", "stomp": "STOMP", "http": "HTTP", "coap": "CoAP"}

// failed notes connections that have not got as far as the protocol of a listener.
func (s *security) failed(listener string) func(net.Conn, error) {
	name, _, _ := strings.Cut(listener, "+")
	protocol, ok := protocolNames[name]
	if !ok {
		protocol = protocolNames[strings.TrimSuffix(name, "s")]
	}
	return func(nc net.Conn, err error) {
		v := tenancy.Visitor{Protocol: protocol}.From(nc.RemoteAddr().String())
		if secured, ok := nc.(*tls.Conn); ok {
			state := secured.ConnectionState()
			v = v.At(state.ServerName)
			v.TLS = state.Version
		}
		s.note(v, err)
	}
}

// note counts a handshake that failed, and has it recorded.
func (s *security) note(v tenancy.Visitor, err error) {
	detail, certificate := pki.Explain(err)
	cause := tenancy.FailedHandshake
	if certificate {
		cause = tenancy.WrongCertificate
	}
	s.log.Debug("handshake failed", "protocol", v.Protocol, "peer", v.Address, "err", err)
	s.directory.FailedHandshake(v, cause, detail)
}

// datagrams is what handshakes of DTLS go by: certificates only where there is TLS.
func (s *security) datagrams(clientAuth tls.ClientAuthType) coap.Security {
	c := coap.Security{
		Failed: func(from netip.AddrPort, err error) {
			s.note(tenancy.Visitor{Protocol: "CoAP", Address: netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}, err)
		},
	}
	if s.keyring == nil {
		return c
	}
	c.Certificate, c.Verify = s.keyring.ForHost, s.verify
	c.Required = clientAuth == tls.RequireAnyClientCert
	if clientAuth != tls.NoClientCert {
		c.ClientCAs = s.trust.Pool
	}
	return c
}
