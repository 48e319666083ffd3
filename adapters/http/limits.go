package http

import "time"

// Limits bound what clients may ask of the door and how long it waits for them. The zero value of a field means its
// default.
type Limits struct {
	MaxHeaderBytes int           // of one request's line and headers; default 64 KiB
	HeaderTimeout  time.Duration // for a request's headers to arrive; default 10 s
	MaxBody        int64         // bytes of a request's body, where the address allows as much; default 16 MiB
	BodyTimeout    time.Duration // for a request's body to arrive; default 30 s
	WriteTimeout   time.Duration // how long a client may leave an answer or an event untaken; default 15 s
	IdleTimeout    time.Duration // how long a connection may stay open between requests; default 2 min

	MaxStreams  int           // concurrent requests of one HTTP/2 connection; default 250
	PingAfter   time.Duration // silence of an HTTP/2 connection before it is pinged; default 30 s
	PingTimeout time.Duration // for the answer to that ping; default 15 s

	OutcomeTimeout time.Duration // how long a POST or a settlement waits for its outcome; default 30 s
	RetryAfter     time.Duration // what Retry-After tells a client to wait, in whole seconds; default 1 s

	MaxPoll     time.Duration // the greatest timeout of a receive; default 60 s
	Gather      time.Duration // how long a receive waits for what a store is still reading; default 50 ms
	MaxBatch    int           // messages that one receive may ask for; default 100
	LockTime    time.Duration // how long a message is locked if the client does not say; default 30 s
	MaxLockTime time.Duration // the longest lock that a client may ask for; default 10 min
	MaxLocks    int           // messages that one user of a tenant may hold locked; default 1000

	Heartbeat      time.Duration // silence of an event stream before a comment is sent; default 15 s
	StreamWindow   int           // stored messages on their way to one stream, or in a batch of lines; default 64
	StreamCredit   int           // messages of topics and broadcast on their way to one stream; default 10,000
	MaxQueuedBytes int           // of those; more are dropped; default 8 MiB
	ResumeTime     time.Duration // for a stream's client to come back to where it was; default 30 s

	DrainTimeout time.Duration // how long requests get to end when the process stops; default 10 s
}

// DefaultLimits gives the limits of a door that nobody has told others.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func (l Limits) withDefaults() Limits {
	orDefault(&l.MaxHeaderBytes, 64<<10)
	orDefault(&l.HeaderTimeout, 10*time.Second)
	orDefault(&l.MaxBody, 16<<20)
	orDefault(&l.BodyTimeout, 30*time.Second)
	orDefault(&l.WriteTimeout, 15*time.Second)
	orDefault(&l.IdleTimeout, 2*time.Minute)
	orDefault(&l.MaxStreams, 250)
	orDefault(&l.PingAfter, 30*time.Second)
	orDefault(&l.PingTimeout, 15*time.Second)
	orDefault(&l.OutcomeTimeout, 30*time.Second)
	orDefault(&l.RetryAfter, time.Second)
	orDefault(&l.MaxPoll, 60*time.Second)
	orDefault(&l.Gather, 50*time.Millisecond)
	orDefault(&l.MaxBatch, 100)
	orDefault(&l.LockTime, 30*time.Second)
	orDefault(&l.MaxLockTime, 10*time.Minute)
	orDefault(&l.MaxLocks, 1000)
	orDefault(&l.Heartbeat, 15*time.Second)
	orDefault(&l.StreamWindow, 64)
	orDefault(&l.StreamCredit, 10_000)
	orDefault(&l.MaxQueuedBytes, 8<<20)
	orDefault(&l.ResumeTime, 30*time.Second)
	orDefault(&l.DrainTimeout, 10*time.Second)
	return l
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
