package routing

import "time"

// Config says who the router is. The zero value of a field means its default, apart from the first two.
type Config struct {
	Router   string // the id of this router, unlike any other in the network; see protocol.ValidID
	Instance int64  // above that of each earlier start of this router: the time of the start in seconds does

	Timers       Timers
	MaxRouters   int // how many other routers are known at most; default DefaultMaxRouters
	MaxAddresses int // how many addresses of one other router are known at most; default DefaultMaxAddresses
}

// What is known of other routers at most, unless something else is configured.
const (
	DefaultMaxRouters   = 1024
	DefaultMaxAddresses = 1_000_000
)

// Timers are what the network's speed depends on. The zero value of a field means its default. All but the last two are
// those of Qpid Dispatch, and should be alike in all routers of a network.
type Timers struct {
	Hello           time.Duration // between two HELLOs on a link; default 1 s
	HelloMaxAge     time.Duration // without a HELLO after which a neighbour is lost; default 3 s
	Advertise       time.Duration // between two advertisements; default 30 s
	AdvertiseInFlux time.Duration // the same for twice this time after a change of the network, and before a request is repeated; default 4 s
	StateMaxAge     time.Duration // without a word after which the links of a router count no more; default 60 s
	Settle          time.Duration // from one computation of routes to the next, at least; default 100 ms
	Batch           time.Duration // from one change of addresses that is told to the next, at least; default 1 s
}

// WithDefaults gives the timers with each zero value replaced by the default.
func (t Timers) WithDefaults() Timers {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	set(&t.Hello, time.Second)
	set(&t.HelloMaxAge, 3*time.Second)
	set(&t.Advertise, 30*time.Second)
	set(&t.AdvertiseInFlux, 4*time.Second)
	set(&t.StateMaxAge, 60*time.Second)
	set(&t.Settle, 100*time.Millisecond)
	set(&t.Batch, time.Second)
	return t
}

func (c Config) withDefaults() Config {
	c.Timers = c.Timers.WithDefaults()
	if c.MaxRouters == 0 {
		c.MaxRouters = DefaultMaxRouters
	}
	if c.MaxAddresses == 0 {
		c.MaxAddresses = DefaultMaxAddresses
	}
	return c
}
