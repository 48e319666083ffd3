package pki

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/tenancy"
)

// Trust is the authorities whose certificates are taken. Its methods may be called from any goroutine.
type Trust struct {
	log     *slog.Logger
	current atomic.Pointer[Anchors]
	looking sync.Mutex // who holds it replaces current
}

var _ tenancy.CertificateJudge = (*Trust)(nil)

// Anchors is all authorities, as their files have them at one time. It does not change but for what it remembers.
type Anchors struct {
	declared []Authority
	all      []*anchor
	pool     *x509.CertPool
	owners   map[keyID]*anchor
	memory   memory
}

// NewTrust gives one that trusts nobody yet.
func NewTrust(log *slog.Logger) *Trust {
	t := &Trust{log: log}
	t.current.Store(&Anchors{pool: x509.NewCertPool()})
	return t
}

// Prepare reads the files of authorities, for Use. Those that have not changed are not read again.
func (t *Trust) Prepare(declared []Authority) (*Anchors, error) {
	before := t.current.Load().bySetting()
	all := make([]*anchor, len(declared))
	for i, a := range declared {
		if all[i] = before[a.Setting]; all[i].isCurrent(a) {
			continue
		}
		var err error
		if all[i], err = loadAnchor(a); err != nil {
			return nil, err
		}
	}
	return newAnchors(declared, all)
}

// Use trusts these authorities from now on.
func (t *Trust) Use(a *Anchors) {
	t.looking.Lock()
	defer t.looking.Unlock()
	t.current.Store(a)
}

// Look reads files again that have changed. Those that make no sense leave in use what they said before.
func (t *Trust) Look() {
	t.looking.Lock()
	defer t.looking.Unlock()
	was := t.current.Load()
	all, changed := make([]*anchor, len(was.all)), false
	for i, a := range was.all {
		if all[i] = a; a.isCurrent(was.declared[i]) {
			continue
		}
		changed = true
		loaded, err := loadAnchor(was.declared[i])
		if err != nil {
			t.log.Error("changed files of an authority are not used", "err", err)
			loaded.certificates, loaded.lists = a.certificates, a.lists
		} else {
			t.log.Info("files of an authority read again", "setting", a.Setting)
		}
		all[i] = loaded
	}
	if !changed {
		return
	}
	is, err := newAnchors(was.declared, all)
	if err != nil {
		t.log.Error("changed files of authorities are not used", "err", err)
		is = &Anchors{declared: was.declared, all: all, pool: was.pool, owners: was.owners}
	}
	t.current.Store(is)
}

// Run looks at the files until ctx ends.
func (t *Trust) Run(ctx context.Context) { keepLooking(ctx, t.Look) }

func newAnchors(declared []Authority, all []*anchor) (*Anchors, error) {
	s := &Anchors{declared: declared, all: all, pool: x509.NewCertPool(), owners: make(map[keyID]*anchor)}
	for _, a := range all {
		for _, c := range a.certificates {
			key := keyOf(c)
			switch owner := s.owners[key]; {
			case owner == nil || owner.Tenant == "":
				s.owners[key] = a
			case a.Tenant != "" && owner.Tenant != a.Tenant:
				return nil, fmt.Errorf("%s.ca: the authority %q is declared in %s already: an authority is of one tenant, or in tls.clientCA of all",
					a.Setting, c.Subject, owner.Setting)
			}
			s.pool.AddCert(c)
		}
	}
	return s, nil
}

func (s *Anchors) bySetting() map[string]*anchor {
	m := make(map[string]*anchor, len(s.all))
	for _, a := range s.all {
		m[a.Setting] = a
	}
	return m
}

// Pool gives the certificates of all authorities.
func (t *Trust) Pool() *x509.CertPool { return t.current.Load().pool }

// Verify tells why the first of a client's certificates is not good; the others lead from it to an authority.
func (t *Trust) Verify(certificates []*x509.Certificate) error {
	_, err := t.current.Load().verify(time.Now(), certificates)
	return err
}

// Judge implements tenancy.CertificateJudge.
func (t *Trust) Judge(certificates []*x509.Certificate) (h tenancy.Holder, err error) {
	a, err := t.current.Load().verify(time.Now(), certificates)
	if a == nil {
		return h, err
	}
	h = tenancy.Holder{Tenant: a.Tenant}
	if h.Tenant != "" {
		h.Authority = a.CA
	}
	if err == nil {
		h.User, err = a.Naming.userOf(certificates[0])
	}
	return h, err
}

// IsOfTenant tells whether a client's certificates lead to a tenant's authority before they lead to one of shared: one of a tenant
// that has it from an authority of all.
func (t *Trust) IsOfTenant(certificates []*x509.Certificate, shared *Trust) bool {
	s, others := t.current.Load(), shared.current.Load()
	f := s.memory.recall(certificates, func() finding { return s.find(time.Now(), certificates) })
	for _, c := range f.chain {
		key := keyOf(c)
		if others.owners[key] != nil {
			return false
		}
		if a := s.owners[key]; a != nil && a.Tenant != "" {
			return true
		}
	}
	return f.err != nil
}

// finding is what is known of certificates that a client has shown.
type finding struct {
	anchor *anchor
	chain  []*x509.Certificate // from the client's to one of an authority
	err    error
}

// verify finds the authority of a certificate, and tells whether the certificate is good now. There may be an authority also
// when it is not.
func (s *Anchors) verify(now time.Time, certificates []*x509.Certificate) (*anchor, error) {
	f := s.memory.recall(certificates, func() finding { return s.find(now, certificates) })
	if f.err != nil {
		return f.anchor, f.err
	}
	for _, c := range f.chain {
		switch {
		case now.After(c.NotAfter):
			return f.anchor, errExpired
		case now.Before(c.NotBefore):
			return f.anchor, errEarly
		}
	}
	return f.anchor, f.anchor.checkRevoked(now, f.chain)
}

// find looks for chains from a certificate to authorities. One that has expired is found to be so by verify: here the time is
// one at which it was good.
func (s *Anchors) find(now time.Time, certificates []*x509.Certificate) (f finding) {
	between := x509.NewCertPool()
	for _, c := range certificates[1:] {
		between.AddCert(c)
	}
	leaf := certificates[0]
	at := now
	if at.After(leaf.NotAfter) || at.Before(leaf.NotBefore) {
		at = leaf.NotAfter
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: s.pool, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return finding{err: err}
	}
	for _, chain := range chains {
		a := s.owner(chain)
		switch {
		case f.anchor == nil || f.anchor.Tenant == "" && a.Tenant != "":
			f.anchor, f.chain = a, chain
		case a.Tenant != "" && a.Tenant != f.anchor.Tenant: // two authorities have signed one between
			return finding{err: errTwoTenants}
		}
	}
	return f
}

// owner gives the nearest authority of a tenant that a chain leads to, or else that of all.
func (s *Anchors) owner(chain []*x509.Certificate) (shared *anchor) {
	for _, c := range chain {
		switch a := s.owners[keyOf(c)]; {
		case a == nil:
		case a.Tenant != "":
			return a
		default:
			shared = a
		}
	}
	return shared
}

var (
	errExpired    = errors.New("it has expired")
	errEarly      = errors.New("it is not good yet")
	errTwoTenants = errors.New("it leads to authorities of two tenants")
)

// memory is what was found of certificates, as a client may show the same with each request. What is in neither half is
// forgotten.
type memory struct {
	mu            sync.Mutex // guards everything below; a leaf
	recent, older map[keyID]finding
}

// maxRemembered bounds half of a memory.
const maxRemembered = 4096

// recall gives what was found of certificates, after having it found now if it is not remembered.
func (m *memory) recall(certificates []*x509.Certificate, find func() finding) finding {
	hash := sha256.New()
	for _, c := range certificates {
		hash.Write(c.Raw)
	}
	key := keyID(hash.Sum(nil))
	m.mu.Lock()
	f, ok := m.recent[key]
	if !ok {
		f, ok = m.older[key]
	}
	m.mu.Unlock()
	if ok {
		return f
	}
	if f = find(); f.err != nil {
		return f // that may be for the moment
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.recent == nil || len(m.recent) >= maxRemembered {
		m.older, m.recent = m.recent, make(map[keyID]finding)
	}
	m.recent[key] = f
	return f
}
