package pki

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Keyring is the gateway's certificates. Its methods may be called from any goroutine.
type Keyring struct {
	pairs   []Pair
	log     *slog.Logger
	stapler *stapler // nil when nothing is stapled
	current atomic.Pointer[keys]
	looking sync.Mutex // who holds it replaces current
}

// keys is certificates as their files have them at one time. It does not change.
type keys struct {
	all    []*key
	byName map[string][]*key // exact ones, and wildcards such as *.example
}

// key is a certificate with what belongs to it. It does not change.
type key struct {
	*tls.Certificate
	stamps []stamp
	needs  bool      // a proof of OCSP: clients who know of that refuse the certificate without one
	until  time.Time // when its staple is not good any more
}

// OpenKeyring reads the files of pairs, of which the first is for clients who want none of the names that there are. With
// staple its certificates are shown with what their authority's server of OCSP says of them.
func OpenKeyring(pairs []Pair, staple bool, log *slog.Logger) (*Keyring, error) {
	k := &Keyring{pairs: pairs, log: log}
	if staple {
		k.stapler = newStapler(log)
	}
	all := make([]*key, len(pairs))
	for i, p := range pairs {
		var err error
		if all[i], err = readKey(p); err != nil {
			return nil, err
		}
		if all[i].needs && !staple {
			return nil, fmt.Errorf("%s.certificate: it says that it comes with a proof of OCSP (must-staple): set tls.ocspStapling", p.Setting)
		}
	}
	k.current.Store(newKeys(all))
	return k, nil
}

func readKey(p Pair) (*key, error) {
	stamps := p.look()
	c, err := p.Load()
	if err != nil {
		return nil, fmt.Errorf("%s.certificate and %s.key: %w", p.Setting, p.Setting, err)
	}
	return &key{Certificate: &c, stamps: stamps, needs: mustStaple(c.Leaf)}, nil
}

func newKeys(all []*key) *keys {
	s := &keys{all: all, byName: make(map[string][]*key)}
	for _, k := range all {
		for _, name := range k.Leaf.DNSNames {
			name = strings.ToLower(name)
			s.byName[name] = append(s.byName[name], k)
		}
	}
	return s
}

// Look reads files again that have changed. Those that make no sense leave in use what they said before.
func (k *Keyring) Look() {
	k.looking.Lock()
	defer k.looking.Unlock()
	all, changed := slices.Clone(k.current.Load().all), false
	for i, p := range k.pairs {
		stamps := p.look()
		if slices.Equal(stamps, all[i].stamps) {
			continue
		}
		changed = true
		fresh, err := readKey(p)
		if err != nil {
			k.log.Error("the changed TLS files are not used", "err", err)
			kept := *all[i]
			kept.stamps = stamps
			fresh = &kept
		} else {
			k.log.Info("TLS files read again", "certificate", p.Certificate)
		}
		all[i] = fresh
	}
	if changed {
		k.current.Store(newKeys(all))
	}
}

// Run looks at the files of certificates and of authorities until ctx ends.
func (k *Keyring) Run(ctx context.Context, trusts ...*Trust) {
	keepLooking(ctx, func() {
		k.Look()
		for _, trust := range trusts {
			trust.Look()
		}
	})
}

// keepLooking looks at files again and again until ctx ends.
func keepLooking(ctx context.Context, look func()) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			look()
		}
	}
}

// lookAgain is how long files are taken to be unchanged.
const lookAgain = time.Second

// Certificate gives the certificate for a handshake: one for the name that the client asks for (RFC 6066 section 3), with a
// key that it can use, or else the first.
func (k *Keyring) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	candidates := k.current.Load().of(hello.ServerName)
	for _, c := range candidates {
		if hello.SupportsCertificate(c.Certificate) == nil {
			return c.shown(time.Now())
		}
	}
	return candidates[0].shown(time.Now())
}

// ForHost gives the certificate for a name, empty for none.
func (k *Keyring) ForHost(host string) (*tls.Certificate, error) {
	return k.current.Load().of(host)[0].shown(time.Now())
}

// of gives the certificates for a name, those for exactly this one first; else the first of all.
func (s *keys) of(host string) []*key {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, rest, _ := strings.Cut(host, ".")
	exact, wild := s.byName[host], s.byName["*."+rest]
	switch {
	case host == "" || len(exact)+len(wild) == 0:
		return s.all[:1]
	case len(wild) == 0:
		return exact
	}
	return slices.Concat(exact, wild)
}

// shown gives the certificate with what is stapled to it.
func (k *key) shown(now time.Time) (*tls.Certificate, error) {
	switch good := len(k.OCSPStaple) > 0 && now.Before(k.until); {
	case good:
		return k.Certificate, nil
	case k.needs:
		return nil, errNoStaple
	case len(k.OCSPStaple) == 0:
		return k.Certificate, nil
	}
	bare := *k.Certificate
	bare.OCSPStaple = nil
	return &bare, nil
}

// issuer gives who has signed a certificate, if that comes with it.
func (k *key) issuer() (*x509.Certificate, bool) {
	if len(k.Certificate.Certificate) < 2 {
		return nil, false
	}
	c, err := x509.ParseCertificate(k.Certificate.Certificate[1])
	return c, err == nil
}
