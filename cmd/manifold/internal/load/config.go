package load

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Protocol is what a run speaks.
type Protocol string

// The protocols.
const (
	MQTT  Protocol = "mqtt"  // MQTT 3.1.1
	AMQP  Protocol = "amqp"  // AMQP 1.0
	STOMP Protocol = "stomp" // STOMP 1.2
	HTTP  Protocol = "http"  // Manifold's resources over HTTP/1.1, see docs/http.md
	HTTP2 Protocol = "http2" // the same over HTTP/2, with prior knowledge (RFC 9113, section 3.3)
	CoAP  Protocol = "coap"  // CoAP over UDP, in a fleet over DTLS too
)

func (p Protocol) isHTTP() bool { return p == HTTP || p == HTTP2 }

func (p Protocol) validate() error {
	switch p {
	case MQTT, AMQP, STOMP, HTTP, HTTP2, CoAP:
		return nil
	default:
		return fmt.Errorf("protocol %q is none of %s, %s, %s, %s, %s, %s", p, MQTT, AMQP, STOMP, HTTP, HTTP2, CoAP)
	}
}

// Layout says which subscriber hears which publisher.
type Layout string

const (
	// Pairs is 1:1: publisher i and subscriber i share the topic Topic/i.
	Pairs Layout = "pairs"
	// FanOut is 1:N: every publisher has its own topic Topic/i and every subscriber subscribes to all of them.
	FanOut Layout = "fanout"
	// Mesh is N:N: all publishers and all subscribers share the one topic Topic.
	Mesh Layout = "mesh"
	// Workers is N:N: all share the one topic Topic, and each message goes to one of the subscribers.
	Workers Layout = "workers"
)

const (
	defaultWindow      = 1000
	defaultTenant      = "default"
	defaultHost        = "/" // in STOMP: it names no tenant, and is what RabbitMQ has
	defaultOutstanding = 1000
	defaultRequests    = 1  // in HTTP: the window
	defaultAhead       = 16 // in HTTP: outstanding
	defaultErrands     = 16 // in CoAP: the window
	defaultPatience    = 5 * time.Second
	maxWindow          = 65535
	maxPayload         = 64 << 20
	maxTopics          = 10_000_000
)

// Config describes one load run. The zero value of a field means the default named beside it.
type Config struct {
	Protocol Protocol // default MQTT
	Address  string   // host:port of the server under test
	Username string   // shown to the server when not empty
	Password string   // shown to the server when Username is not empty
	ClientID string   // prefix of every client identifier, or container-id; default "load"
	Tenant   string   // HTTP only: whose addresses are used; default "default"
	Host     string   // STOMP only: the virtual host that is named; default "/"

	Layout      Layout // default Pairs
	Topic       string // the topic (or address, or destination) itself for Mesh and Workers, the prefix otherwise; default "bench"
	Publishers  int    // default 1
	Subscribers int    // 0 means nobody listens: acknowledged messages are the result
	Stalled     int    // further subscribers, that read nothing; MQTT only
	// Topics, when not 0, spreads the messages of each publisher over so many topics in turn: message n goes to the
	// number n modulo Topics below the topic of its layout, with leading zeros, as bench/007. Nobody can listen then.
	Topics int

	PayloadSize int // bytes, at least MinPayload; default 256
	PublishQoS  int // 0 or 1; in AMQP 0 is settled and 1 unsettled; in HTTP and STOMP 0 asks for no outcome and 1 does
	// SubscribeQoS is 0 or 1; in AMQP likewise; in HTTP 0 watches a stream, and 1 receives under a lock and deletes; in
	// STOMP 0 is ack:auto, and 1 client-individual.
	SubscribeQoS int
	Durable      bool // AMQP and STOMP: a header says that the message is to survive
	Put          bool // CoAP only: requests are PUT, and not POST

	// Window is how many QoS 1 messages one publisher has unacknowledged at most; default 1000, at most 65,535. In HTTP it
	// is how many requests it has under way, whatever the QoS; default 1, and with more the messages have no order. In
	// CoAP it is how many requests an endpoint has under way, by default 16.
	Window int
	// AckTimeout is after how long a request without an answer is sent again, the first time; CoAP only, default 2 s.
	AckTimeout time.Duration
	// Outstanding is how many messages a publisher is ahead of the slowest subscriber that hears it, at most.
	// It closes the loop, so that no server has to drop what it cannot deliver yet; default 1000, in HTTP 16: a stream has
	// room for 64 messages, of all publishers that it hears.
	Outstanding int
	// Rate is messages per second of each publisher; 0 means as fast as the windows allow.
	Rate float64

	// Ends, if not 0, asks for the rates in so much time at the beginning and at the end of the measured window. Duration has
	// to have room for both.
	Ends time.Duration

	WarmUp   time.Duration // traffic before anything is counted
	Duration time.Duration // length of the measured window; exclusive with Messages
	Messages uint64        // messages per publisher in the measured window; exclusive with Duration
	Patience time.Duration // no progress for this long: what is outstanding counts as lost; default 5 s

	// Latency asks for a histogram of the time from writing a message to reading it, and in AMQP of the time to its
	// answer. It turns batched reading off, which costs the driver more CPU.
	Latency bool
	// ServerPID names a process on this machine whose CPU time is measured together with the traffic; 0 means none. What
	// AlsoPIDs name is added, such as further routers that the messages pass.
	ServerPID int
	AlsoPIDs  []int
	// From is the host:port that subscribers connect to, in place of Address, where that is another router; AMQP only.
	From string
}

func (c Config) withDefaults() Config {
	if c.Protocol == "" {
		c.Protocol = MQTT
	}
	if c.ClientID == "" {
		c.ClientID = "load"
	}
	if c.Layout == "" {
		c.Layout = Pairs
	}
	if c.Topic == "" {
		c.Topic = "bench"
	}
	if c.Publishers == 0 {
		c.Publishers = 1
	}
	if c.PayloadSize == 0 {
		c.PayloadSize = 256
	}
	if c.Tenant == "" {
		c.Tenant = defaultTenant
	}
	if c.Host == "" {
		c.Host = defaultHost
	}
	window, outstanding := defaultWindow, defaultOutstanding
	switch {
	case c.Protocol.isHTTP():
		window, outstanding = defaultRequests, defaultAhead
	case c.Protocol == CoAP:
		window = defaultErrands
	}
	if c.Window == 0 {
		c.Window = window
	}
	if c.Outstanding == 0 {
		c.Outstanding = outstanding
	}
	if c.AckTimeout == 0 {
		c.AckTimeout = coapAckTimeout
	}
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	return c
}

// Validate reports everything that is wrong with c, in one error.
func (c Config) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		errs = append(errs, fmt.Errorf("address: %w", err))
	}
	if err := c.Protocol.validate(); err != nil {
		errs = append(errs, err)
	}
	refuse(c.Layout != Pairs && c.Layout != FanOut && c.Layout != Mesh && c.Layout != Workers,
		"layout %q is none of %s, %s, %s, %s", c.Layout, Pairs, FanOut, Mesh, Workers)
	refuse(len(c.Topic) > 60000 || strings.ContainsAny(c.Topic, "+#\x00"), "topic %q is not a topic name", c.Topic)
	refuse(c.Publishers < 1, "%d publishers: at least one is needed", c.Publishers)
	refuse(c.Subscribers < 0, "%d subscribers", c.Subscribers)
	refuse(c.Topics < 0 || c.Topics > maxTopics, "%d topics: must be 0 to %d", c.Topics, maxTopics)
	refuse(c.Topics > 0 && c.Protocol != MQTT, "only MQTT can spread messages over several topics")
	refuse(c.Topics > 0 && c.Subscribers > 0, "several topics for each publisher need 0 subscribers: got %d", c.Subscribers)
	refuse(c.Stalled < 0 || c.Stalled > 0 && (c.Protocol != MQTT || c.Subscribers == 0),
		"%d stalled subscribers: they are of MQTT, and beside others that read", c.Stalled)
	refuse(c.Layout == Pairs && c.Subscribers != 0 && c.Subscribers != c.Publishers,
		"layout pairs needs as many subscribers as publishers, or none: got %d and %d", c.Subscribers, c.Publishers)
	refuse(c.PayloadSize < MinPayload || c.PayloadSize > maxPayload,
		"payload of %d bytes: must be %d to %d", c.PayloadSize, MinPayload, maxPayload)
	refuse(c.PublishQoS != 0 && c.PublishQoS != 1, "publish QoS %d: must be 0 or 1", c.PublishQoS)
	refuse(c.SubscribeQoS != 0 && c.SubscribeQoS != 1, "subscribe QoS %d: must be 0 or 1", c.SubscribeQoS)
	refuse(c.Window < 1 || c.Window > maxWindow, "window of %d: must be 1 to %d", c.Window, maxWindow)
	refuse(c.Outstanding < 1, "outstanding %d: must be at least 1", c.Outstanding)
	refuse(c.Protocol.isHTTP() && c.SubscribeQoS == 1 && c.Layout != Pairs && c.Layout != Workers,
		"receiving under a lock needs layout %s or %s: got %s", Pairs, Workers, c.Layout)
	refuse(c.Protocol == CoAP && (c.PublishQoS != 1 || c.Subscribers != 0),
		"CoAP endpoints await an answer to each request, and none of them observes")
	refuse(c.AckTimeout < 0, "ack timeout %v is negative", c.AckTimeout)
	refuse(c.Ends < 0 || 2*c.Ends > c.Duration, "ends of %v: the duration of %v has no room for both", c.Ends, c.Duration)
	refuse(c.Rate < 0, "rate %g: must not be negative", c.Rate)
	refuse((c.Duration > 0) == (c.Messages > 0), "exactly one of duration and messages is needed")
	refuse(c.WarmUp < 0 || c.Duration < 0 || c.Patience < 0, "a time span is negative")
	return errors.Join(errs...)
}

// answered tells whether the server answers each message; in HTTP it does so even if nobody asks for the outcome.
func (c Config) answered() bool { return c.PublishQoS == 1 || c.Protocol.isHTTP() }

// unordered tells whether the messages of one publisher may overtake each other.
func (c Config) unordered() bool { return c.Protocol.isHTTP() && c.Window > 1 }

// connections is how many the run needs, about.
func (c Config) connections() int {
	if c.Protocol == HTTP {
		return c.Publishers*c.Window + c.Subscribers
	}
	return c.Publishers + c.Subscribers + c.Stalled
}

// oneTopic tells whether everybody shares one topic.
func (c Config) oneTopic() bool { return c.Layout == Mesh || c.Layout == Workers }

// publishTopic is the topic that publisher i writes to, or the first of them.
func (c Config) publishTopic(i int) string {
	topic := c.Topic
	if !c.oneTopic() {
		topic = fmt.Sprintf("%s/%d", topic, i)
	}
	if c.Topics > 0 {
		topic = fmt.Sprintf("%s/%0*d", topic, digitsFor(c.Topics), 0)
	}
	return topic
}

// hears returns the half-open range of publishers that subscriber i listens to.
func (c Config) hears(i int) (from, to int) {
	if c.Layout == Pairs {
		return i, i + 1
	}
	return 0, c.Publishers
}

// filters returns what subscriber i subscribes to.
func (c Config) filters(i int) []string {
	if c.oneTopic() {
		return []string{c.Topic}
	}
	from, to := c.hears(i)
	filters := make([]string, 0, to-from)
	for p := from; p < to; p++ {
		filters = append(filters, c.publishTopic(p))
	}
	return filters
}

// batch is how many messages a publisher writes at once: a part of the smallest window, so that writing and
// reading overlap, and no more bytes than a socket takes well.
func (c Config) batch() int {
	const batchBytes = 128 << 10
	smallest := maxWindow
	if c.answered() {
		smallest = c.Window
	}
	if c.Subscribers > 0 {
		smallest = min(smallest, c.Outstanding)
	}
	return max(1, min(smallest/4, batchBytes/c.PayloadSize))
}

// readBuffer is how many bytes a subscriber reads at once: all of them together stay within a fixed budget.
func (c Config) readBuffer() int {
	const budget, most, least = 64 << 20, 256 << 10, 8 << 10
	return max(min(most, budget/c.Subscribers), least)
}

// readAhead is how many bytes a subscriber may wait for before it looks at any of them.
func (c Config) readAhead() int {
	if c.Latency {
		return 1
	}
	return c.Outstanding / 4 * c.PayloadSize
}

func (c Config) httpDoor(atOnce int) httpDoor {
	return httpDoor{protocol: c.Protocol, address: c.Address, tenant: c.Tenant, username: c.Username,
		password: c.Password, atOnce: atOnce}
}

func (c Config) amqpDoor(buffer, ahead int) amqpDoor {
	return amqpDoor{address: c.Address, username: c.Username, password: c.Password, buffer: buffer, ahead: ahead}
}

func (c Config) stompDoor(buffer, ahead int) stompDoor {
	return stompDoor{address: c.Address, host: c.Host, username: c.Username, password: c.Password, buffer: buffer,
		ahead: ahead}
}
