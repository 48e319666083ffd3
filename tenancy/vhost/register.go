package vhost

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrDenied refuses a client. It wraps why, which is for the log: the client is told nothing more.
var ErrDenied = errors.New("connection disallowed by local policy")

// ErrUnknown is of a host that is not declared, ErrExists of one that is already, and ErrInvalid of one that cannot be: it wraps why.
var (
	ErrUnknown = errors.New("no such virtual host is declared")
	ErrExists  = errors.New("a virtual host of this name is declared already")
	ErrInvalid = errors.New("PolicyError")
)

// Register is the hosts of now, and who has come in by them.
type Register struct {
	policy Policy       // but for Hosts
	denied atomic.Int64 // connections for which there was no host
	links  atomic.Int64 // links that were refused
	large  atomic.Int64 // messages that were

	mu    sync.Mutex // guards everything below; a leaf
	hosts []*host    // in the order in which they were declared
	book  *book
	stats map[string]*stats // of every host that is or was declared
}

// NewRegister gives the register of a policy. The error is that of the first host that is wrong.
func NewRegister(p Policy) (*Register, error) {
	r := &Register{policy: p, stats: make(map[string]*stats)}
	r.policy.Hosts = nil
	for i := range p.Hosts {
		h, err := compile(&p.Hosts[i])
		if err != nil {
			return nil, invalid(p.Hosts[i].Name, err)
		}
		r.hosts = append(r.hosts, h)
	}
	return r, r.bind(r.hosts)
}

func invalid(name string, err error) error {
	return fmt.Errorf("%w: Policy '%s' is invalid: Policy vhost '%s' %w", ErrInvalid, name, name, err)
}

// bind has hosts hold from now on, unless they do not go together. The caller has the lock, or the only reference.
func (r *Register) bind(hosts []*host) error {
	b, err := newBook(r.policy, hosts)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	r.book, r.hosts = b, hosts
	for _, h := range hosts {
		if r.stats[h.Name] == nil {
			r.stats[h.Name] = newStats()
		}
	}
	return nil
}

// Declare adds a host. The error is ErrExists, or what is wrong with it in the words of Dispatch.
func (r *Register) Declare(h Host) error {
	return r.change(&h, func(i int) error {
		if i >= 0 {
			return ErrExists
		}
		return nil
	})
}

// Redeclare has a host hold in place of that of the same name. Who has come in already goes on as before.
func (r *Register) Redeclare(h Host) error {
	return r.change(&h, func(i int) error {
		if i < 0 {
			return ErrUnknown
		}
		return nil
	})
}

func (r *Register) change(h *Host, check func(i int) error) error {
	c, err := compile(h)
	if err != nil {
		return invalid(h.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.index(h.Name)
	if err := check(i); err != nil {
		return err
	}
	hosts := slices.Clone(r.hosts)
	if i < 0 {
		hosts = append(hosts, c)
	} else {
		hosts[i] = c
	}
	return r.bind(hosts)
}

// Withdraw takes a host away. Who has come in by it stays.
func (r *Register) Withdraw(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.index(name)
	if i < 0 {
		return ErrUnknown
	}
	return r.bind(slices.Delete(slices.Clone(r.hosts), i, i+1))
}

func (r *Register) index(name string) int {
	return slices.IndexFunc(r.hosts, func(h *host) bool { return h.Name == name })
}

// Policy gives what is declared now. The hosts are not to be changed.
func (r *Register) Policy() Policy {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.policy
	for _, h := range r.hosts {
		p.Hosts = append(p.Hosts, *h.Host)
	}
	return p
}

// Arrival is a client that wants to come in.
type Arrival struct {
	Host       string     // that it asks for, or that its listener names
	User       string     // who it has shown to be; empty for nobody
	Address    netip.Addr // where it is
	Connection string     // what its connection is called in the counts
	Spaced     bool       // its addresses begin at the router with the name of the host, and a slash
}

// Enter lets a client in, until Visit.Leave. The error wraps ErrDenied.
func (r *Register) Enter(a Arrival) (*Visit, error) {
	if a.User == "" {
		a.User = Anonymous
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.book.find(a.Host)
	if h == nil {
		r.denied.Add(1)
		return nil, fmt.Errorf("%w: no policy is defined for the vhost", ErrDenied)
	}
	s := r.stats[h.Name]
	g := h.groupFor(a.User)
	switch {
	case g == nil:
		s.connectionsDenied++
		return nil, fmt.Errorf("%w: the user is in no group, and unknown users are denied", ErrDenied)
	case !slices.ContainsFunc(g.from, func(n network) bool { return n.has(a.Address) }):
		s.connectionsDenied++
		return nil, fmt.Errorf("%w: the user may not connect from there", ErrDenied)
	}
	v := &Visit{register: r, arrival: a, host: h, group: g, stats: s}
	if err := s.enter(v); err != nil {
		return nil, err
	}
	return v, nil
}

// HostOf gives the name of the host that holds for who asks for one; empty for none.
func (r *Register) HostOf(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.book.find(name); h != nil {
		return h.Name
	}
	return ""
}

// Totals are counts of all hosts together, as of the start of the process.
type Totals struct {
	ConnectionsApproved, ConnectionsDenied, LinksDenied, MessagesDenied int64
}

// Totals gives those of now.
func (r *Register) Totals() Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := Totals{ConnectionsDenied: r.denied.Load(), LinksDenied: r.links.Load(), MessagesDenied: r.large.Load()}
	for _, s := range r.stats {
		t.ConnectionsApproved += s.connectionsApproved
		t.ConnectionsDenied += s.connectionsDenied
	}
	return t
}

// Stats are the counts of one host.
type Stats struct {
	Host                                     string
	ConnectionsApproved, ConnectionsDenied   int64
	ConnectionsCurrent                       int
	SenderDenied, ReceiverDenied, SizeDenied int64
	PerUser, PerHost                         map[string][]string // connections by users, and by addresses of origin
}

// Stats gives the counts of every host that is or was declared, by its name.
func (r *Register) Stats() (all []Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(r.stats)) {
		all = append(all, r.stats[name].tell(name))
	}
	return all
}
