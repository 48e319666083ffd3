package tenancy

import (
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/tenancy/register"
)

// Allowance is what one tenant may use, by the plan that holds now, and what it uses. There is one for each name of a tenant
// as long as the process runs: what is counted outlives a declaration. Its methods may be called from any goroutine, and
// those of two tenants share no lock. Of nil, which is that of nobody, everything may be used.
type Allowance struct {
	began    time.Time
	plan     atomic.Pointer[Plan]
	visits   register.Of[*Visit]
	rates    [limitCount]bucket
	breaches [limitCount]atomic.Uint64
	used     [limitCount]atomic.Int64

	entering sync.Mutex           // guards everything below; taken before the lock of visits
	users    map[string]int       // their connections, while there is a limit of them; else nil
	origins  map[netip.Prefix]int // likewise
}

// Figure is one limit of a tenant, and what is used of it.
type Figure struct {
	Limit    Limit
	Used     int64  // 0 for a limit of one thing, such as a message, and for a rate
	Most     int64  // 0 for no limit
	Breaches uint64 // how often something was refused or held back because of it
}

func newAllowance() *Allowance {
	a := &Allowance{began: time.Now()}
	a.plan.Store(new(Plan))
	return a
}

// Allowance gives that of a tenant, which need not be declared: its messages may be there before it is. It is for names
// that somebody has declared some time, as it lasts as long as the process.
func (d *Directory) Allowance(tenant string) *Allowance {
	a, ok := d.allowances.Load(tenant)
	if !ok {
		a, _ = d.allowances.LoadOrStore(tenant, newAllowance())
	}
	return a.(*Allowance)
}

// allowance is Allowance for any name; nil for one of nobody.
func (d *Directory) allowance(tenant string) *Allowance {
	a, ok := d.allowances.Load(tenant)
	if !ok {
		return nil
	}
	return a.(*Allowance)
}

// Plan is the plan that holds now. It is not to be changed.
func (a *Allowance) Plan() *Plan {
	if a == nil {
		return new(Plan)
	}
	return a.plan.Load()
}

// declare has a plan hold from now on. What is used beyond it stays.
func (a *Allowance) declare(p *Plan) {
	a.entering.Lock()
	defer a.entering.Unlock()
	was := a.plan.Swap(p)
	for l := MessagesIn; l <= BytesOut; l++ {
		if was.Most[l] != p.Most[l] || was.Burst[l] != p.Burst[l] {
			a.rates[l].full.Store(0) // nobody pays at the new rate for what came at the old one
		}
	}
	a.recount(p)
}

// Most is how much may be used of something; 0 is any.
func (a *Allowance) Most(l Limit) int64 {
	if a == nil {
		return 0
	}
	return a.plan.Load().Most[l]
}

// Take uses n of something until they are given back. The error is an *Exceeded: nothing is used then.
func (a *Allowance) Take(l Limit, n int64) error {
	if a == nil {
		return nil
	}
	for {
		used, most := a.used[l].Load(), a.plan.Load().Most[l]
		if most > 0 && used+n > most {
			return a.Refuse(l)
		}
		if a.used[l].CompareAndSwap(used, used+n) {
			return nil
		}
	}
}

// Use uses n of something, or gives it back if it is negative, whatever the limit: for who asks for Room before, or may
// not refuse.
func (a *Allowance) Use(l Limit, n int64) {
	if a != nil && n != 0 {
		a.used[l].Add(n)
	}
}

// Room tells whether n more of something may be used. The error is an *Exceeded.
func (a *Allowance) Room(l Limit, n int64) error {
	if most := a.Most(l); most > 0 && a.used[l].Load()+n > most {
		return a.Refuse(l)
	}
	return nil
}

// Give gives back what was taken.
func (a *Allowance) Give(l Limit, n int64) {
	if a != nil {
		a.used[l].Add(-n)
	}
}

// Fits tells whether something is within a limit of one thing, such as the size of a message. The error is an *Exceeded.
func (a *Allowance) Fits(l Limit, n int64) error {
	if most := a.Most(l); most > 0 && n > most {
		return a.Refuse(l)
	}
	return nil
}

// Refuse counts a breach of a limit, and gives the error for it.
func (a *Allowance) Refuse(l Limit) error {
	if a == nil {
		return &Exceeded{Limit: l}
	}
	a.breaches[l].Add(1)
	return &Exceeded{l, a.Most(l)}
}

// pass counts messages and their bytes for two rates, whose debt it may be.
func (a *Allowance) pass(messages, bytes Limit, n, size int) {
	if a == nil {
		return
	}
	p := a.plan.Load()
	if p.Most[messages]|p.Most[bytes] == 0 {
		return
	}
	now := time.Since(a.began)
	a.spend(p, messages, now, int64(n))
	a.spend(p, bytes, now, int64(size))
}

// spend takes n from a rate. Who receives too much is counted here; who sends too much, where he is held back or refused.
func (a *Allowance) spend(p *Plan, l Limit, now time.Duration, n int64) {
	if p.Most[l] == 0 || n == 0 {
		return
	}
	over := a.rates[l].take(now, n, p.Most[l], p.burst(l)) > 0
	if over && (l == MessagesOut || l == BytesOut) {
		a.breaches[l].Add(1)
	}
}

// SendWait tells how long those of the tenant who send are to be held back now, and counts a breach if they are.
func (a *Allowance) SendWait() (wait time.Duration) {
	if a == nil {
		return 0
	}
	p := a.plan.Load()
	for _, l := range [...]Limit{MessagesIn, BytesIn} {
		if debt := a.debt(p, l); debt > 0 {
			a.breaches[l].Add(1)
			wait = max(wait, debt)
		}
	}
	return wait
}

// Window bounds how many messages one who sends may have under way: no more than may come at once.
func (a *Allowance) Window(most int) int {
	if a == nil {
		return most
	}
	if burst := a.plan.Load().burst(MessagesIn); burst > 0 {
		return int(min(burst, int64(most)))
	}
	return most
}

// Pace tells how long those of the tenant who receive are to get nothing now, and how many messages each of them may be
// given at once; 0 is any number.
func (a *Allowance) Pace() (wait time.Duration, burst int) {
	if a == nil {
		return 0, 0
	}
	p := a.plan.Load()
	if p.Most[MessagesOut]|p.Most[BytesOut] == 0 {
		return 0, 0
	}
	n := p.burst(MessagesOut)
	if n == 0 {
		n = max(1, p.burst(BytesOut)>>10) // messages of 1 KiB
	}
	return max(a.debt(p, MessagesOut), a.debt(p, BytesOut)), int(min(n, math.MaxInt32))
}

// debt tells how long it takes until a rate allows something again.
func (a *Allowance) debt(p *Plan, l Limit) time.Duration {
	if p.Most[l] == 0 {
		return 0
	}
	return max(0, a.rates[l].debt(time.Since(a.began), p.Most[l], p.burst(l)))
}

// MaySend tells why a client that cannot be held back is refused what it sends now. The error is an *Exceeded.
func (a *Allowance) MaySend() error { return a.may(MessagesIn, BytesIn) }

// MayReceive tells likewise why it is given nothing now.
func (a *Allowance) MayReceive() error { return a.may(MessagesOut, BytesOut) }

func (a *Allowance) may(limits ...Limit) error {
	if a == nil {
		return nil
	}
	p := a.plan.Load()
	for _, l := range limits {
		if a.debt(p, l) > 0 {
			return a.Refuse(l)
		}
	}
	return nil
}

// Figures tells of all limits.
func (a *Allowance) Figures() []Figure {
	figures := make([]Figure, limitCount)
	for i := range figures {
		l := Limit(i)
		figures[i] = Figure{l, a.used[l].Load(), a.Most(l), a.breaches[l].Load()}
	}
	figures[MaxConnections].Used = int64(a.visits.Len())
	return figures
}
