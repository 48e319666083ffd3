package config

import (
	"net/netip"
	"time"

	"github.com/manifoldmq/manifold/addressing"
)

// Door is what every listener is told.
type Door struct {
	Enabled bool `yaml:"enabled"`
	Port    int  `yaml:"port"` // before portOffset; 0 takes any free one and is not shifted
}

// SecureDoor is what a listener is told that has another one for TLS beside it.
type SecureDoor struct {
	Door
	TLSPort    int    `yaml:"tlsPort"`    // before portOffset; open when there is a certificate, see TLS
	ClientAuth string `yaml:"clientAuth"` // whether its clients show a certificate: none, optional or required; none leaves it to TLS
	Proxy      Proxy  `yaml:"proxy"`
}

// Proxy says whose connections begin with a header of the PROXY protocol.
type Proxy struct {
	From []netip.Prefix `yaml:"from"` // networks of proxies, whose connections always do; from elsewhere a header is refused
}

// Log says what is logged, and how.
type Log struct {
	Level    string        `yaml:"level"`    // debug, info, warn or error
	Format   string        `yaml:"format"`   // text or json
	Burst    int           `yaml:"burst"`    // lines that say the same within an interval; 0 is any number
	Interval time.Duration `yaml:"interval"` // after which it is told how many more there were
}

func defaultLog() Log { return Log{Level: "info", Format: "text", Burst: 20, Interval: time.Minute} }

// Limits bound every link, whichever door it comes through.
type Limits struct {
	MaxMessageSize Size `yaml:"maxMessageSize"` // of one encoded message, where its address sets none
	MaxWaiting     Size `yaml:"maxWaiting"`     // of messages waiting at one anycast definition
	LinkCredit     int  `yaml:"linkCredit"`     // unsettled messages of one sender before it has to wait
	StreamBuffer   Size `yaml:"streamBuffer"`   // of a message that waits for a slower consumer while it comes in

	MaxTransactionOperations int  `yaml:"maxTransactionOperations"` // sends and settlements of one transaction
	MaxTransactionSize       Size `yaml:"maxTransactionSize"`       // of the messages that one transaction sends
}

func defaultLimits() Limits {
	return Limits{
		MaxMessageSize: 1 << 20, MaxWaiting: 64 << 20, LinkCredit: 1000, StreamBuffer: 256 << 10,
		MaxTransactionOperations: 10_000, MaxTransactionSize: 64 << 20,
	}
}

// Store bounds the memory of the store, and what it leaves free on the disk. That a message is on disk before its sender hears so is no setting.
type Store struct {
	CacheSize        Size `yaml:"cacheSize"`        // of disk blocks kept in memory
	MemTableSize     Size `yaml:"memTableSize"`     // gathered in memory before it becomes a file; up to four exist
	MaxPending       Size `yaml:"maxPending"`       // waiting for the disk; beyond it new messages are refused
	MinFree          Size `yaml:"minFree"`          // free on the disk; below it new messages are refused
	MaxQueues        int  `yaml:"maxQueues"`        // queues of one tenant
	MaxSubscriptions int  `yaml:"maxSubscriptions"` // durable subscriptions of one tenant
	MaxVolatile      Size `yaml:"maxVolatile"`      // bytes of one volatile subscription, which is in memory
	MaxRetained      int  `yaml:"maxRetained"`      // retained messages of one tenant
	MaxRetainedBytes Size `yaml:"maxRetainedBytes"` // their bytes, which are in memory as well
}

func defaultStore() Store {
	return Store{
		CacheSize: 16 << 20, MemTableSize: 16 << 20,
		MaxPending: 256 << 20, MinFree: 256 << 20,
		MaxQueues: 200_000, MaxSubscriptions: 10_000,
		MaxVolatile: 16 << 20,
		MaxRetained: 100_000, MaxRetainedBytes: 256 << 20,
	}
}

// MQTT is the door for MQTT 3.1, 3.1.1 and 5.
type MQTT struct {
	SecureDoor
	WebSocket                  SecureDoor    `yaml:"webSocket"`                  // for MQTT over WebSocket only
	MaxPacketSize              Size          `yaml:"maxPacketSize"`              // of one packet
	MaxPacketSizeBeforeConnect Size          `yaml:"maxPacketSizeBeforeConnect"` // of CONNECT itself
	ConnectTimeout             time.Duration `yaml:"connectTimeout"`             // until the whole CONNECT is here
	MaxQoS                     int           `yaml:"maxQoS"`                     // of publishes and subscriptions
	MaxInflight                int           `yaml:"maxInflight"`                // unanswered publishes of one client
	MaxInflightBytes           Size          `yaml:"maxInflightBytes"`           // their bytes together
	MaxUnacknowledged          int           `yaml:"maxUnacknowledged"`          // deliveries without PUBACK to one client
	MaxPending                 int           `yaml:"maxPending"`                 // deliveries that wait to be written
	MaxPendingBytes            Size          `yaml:"maxPendingBytes"`            // their bytes together
	MaxRequests                int           `yaml:"maxRequests"`                // unanswered SUBSCRIBE and UNSUBSCRIBE
	MaxSubscriptionsPerPacket  int           `yaml:"maxSubscriptionsPerPacket"`  // filters of one SUBSCRIBE
	MaxTopicLength             Size          `yaml:"maxTopicLength"`             // of a topic name or filter
	TopicAliasMaximum          int           `yaml:"topicAliasMaximum"`          // aliases that a client may set
	MaxKeepAlive               time.Duration `yaml:"maxKeepAlive"`               // 0 leaves it to the client
	MaxSessionExpiry           time.Duration `yaml:"maxSessionExpiry"`           // how long a session outlives its connection
	MaxSubscriptions           int           `yaml:"maxSubscriptions"`           // of one client
	MaxTopicLevels             int           `yaml:"maxTopicLevels"`             // of a topic name or filter
	ConnectRate                int           `yaml:"connectRate"`                // clients that may come in, a second; 0 is any
	PublishRate                int           `yaml:"publishRate"`                // publishes of one client, a second; 0 is any
	PublishBytes               Size          `yaml:"publishBytes"`               // their bytes, a second; 0 is any
	SubscriptionCredit         int           `yaml:"subscriptionCredit"`         // messages on their way, topic or broadcast
	QueueCredit                int           `yaml:"queueCredit"`                // likewise, queue or anycast
	MaxQueuedBytes             Size          `yaml:"maxQueuedBytes"`             // on their way, topics and broadcast together
	MaxSenders                 int           `yaml:"maxSenders"`                 // addresses that a client keeps links to
	WriteTimeout               time.Duration `yaml:"writeTimeout"`               // how long a client may leave a write untaken
	DeliveryTimeout            time.Duration `yaml:"deliveryTimeout"`            // until a client before MQTT 5 hears no
	SystemInterval             time.Duration `yaml:"systemInterval"`             // of the topics below $SYS; 0 is none
	ResponseTopics             string        `yaml:"responseTopics"`             // where clients find a topic for answers
	ServerReference            string        `yaml:"serverReference"`            // where clients go when this one stops
	ServerMoved                bool          `yaml:"serverMoved"`                // whether they are to stay there
	HideReasons                bool          `yaml:"hideReasons"`                // whether nobody hears why it is refused
	Rewrite                    []Rewrite     `yaml:"rewrite"`                    // topics that have other names
}

// Rewrite is a rule by which topics are renamed; see package adapters/mqtt/rewrite.
type Rewrite struct {
	Match string `yaml:"match"`
	To    string `yaml:"to"`
}

func defaultMQTT() MQTT {
	return MQTT{
		SecureDoor:                 SecureDoor{Door: Door{Enabled: true, Port: 1883}, TLSPort: 8883},
		WebSocket:                  SecureDoor{Door: Door{Enabled: true, Port: 8083}, TLSPort: 8084},
		MaxPacketSize:              1 << 20,
		MaxPacketSizeBeforeConnect: 16 << 10,
		ConnectTimeout:             10 * time.Second,
		MaxQoS:                     2,
		MaxInflight:                1024,
		MaxInflightBytes:           1 << 20,
		MaxUnacknowledged:          256,
		MaxPending:                 1024,
		MaxPendingBytes:            1 << 20,
		MaxRequests:                16,
		MaxSubscriptionsPerPacket:  128,
		MaxTopicLength:             4 << 10,
		TopicAliasMaximum:          16,
		MaxSessionExpiry:           30 * 24 * time.Hour,
		MaxSubscriptions:           1000,
		MaxTopicLevels:             addressing.MaxLevels,
		SubscriptionCredit:         10_000,
		QueueCredit:                100,
		MaxQueuedBytes:             8 << 20,
		MaxSenders:                 64,
		WriteTimeout:               30 * time.Second,
		DeliveryTimeout:            30 * time.Second,
	}
}

// AMQP is the door for AMQP 1.0.
type AMQP struct {
	SecureDoor
	Listeners          []AMQPListener `yaml:"listeners"`          // in place of port and tlsPort; none is those
	Manner             string         `yaml:"manner"`             // dispatch: as Qpid Dispatch Router where clients may look for that
	Policy             Policy         `yaml:"policy"`             // manner dispatch: who may come in by which virtual host, and what he may do
	PlainWithoutTLS    bool           `yaml:"plainWithoutTLS"`    // passwords as they are, from other machines
	MaxFrameSize       Size           `yaml:"maxFrameSize"`       // of one frame; announced
	MaxHandshakeFrame  Size           `yaml:"maxHandshakeFrame"`  // of a frame before the client is known
	ChannelMax         int            `yaml:"channelMax"`         // highest session number; announced
	HandleMax          int            `yaml:"handleMax"`          // highest link number of a session; announced
	MaxLinks           int            `yaml:"maxLinks"`           // links of one connection
	MaxKept            Size           `yaml:"maxKept"`            // what a client says of its sessions and links
	MaxMessageSize     Size           `yaml:"maxMessageSize"`     // of one message, where its address allows as much
	MaxPartial         Size           `yaml:"maxPartial"`         // unfinished messages of one connection
	MaxUnsettled       int            `yaml:"maxUnsettled"`       // unsettled deliveries of one link
	IncomingWindow     int            `yaml:"incomingWindow"`     // transfer frames ahead in one session; announced
	IncomingBytes      Size           `yaml:"incomingBytes"`      // about as many bytes; large frames make the window smaller
	IdleTimeout        time.Duration  `yaml:"idleTimeout"`        // how long a client may be silent
	MinIdleTimeout     time.Duration  `yaml:"minIdleTimeout"`     // shortest of a client's that is kept up with
	HandshakeTimeout   time.Duration  `yaml:"handshakeTimeout"`   // until the client's open is here
	CloseTimeout       time.Duration  `yaml:"closeTimeout"`       // for the client's close after ours
	WriteTimeout       time.Duration  `yaml:"writeTimeout"`       // how long a client may leave a write untaken
	RelayCredit        int            `yaml:"relayCredit"`        // credit of a sender without an address
	MaxSenders         int            `yaml:"maxSenders"`         // addresses that such a sender keeps links to
	SubscriptionCredit int            `yaml:"subscriptionCredit"` // messages of a topic that wait for credit
	MaxQueuedBytes     Size           `yaml:"maxQueuedBytes"`     // bytes on their way from topics and broadcast
	MaxTransactions    int            `yaml:"maxTransactions"`    // that one client has open
	TransactionTimeout time.Duration  `yaml:"transactionTimeout"` // from what is first done in it
	StreamTimeout      time.Duration  `yaml:"streamTimeout"`      // silence in the middle of a message that streams; 0 for any
}

func defaultAMQP() AMQP {
	return AMQP{
		SecureDoor:         SecureDoor{Door: Door{Enabled: true, Port: 5672}, TLSPort: 5671},
		MaxFrameSize:       64 << 10,
		MaxHandshakeFrame:  8 << 10,
		ChannelMax:         255,
		HandleMax:          1023,
		MaxLinks:           4096,
		MaxKept:            4 << 20,
		MaxMessageSize:     16 << 20,
		MaxPartial:         32 << 20,
		MaxUnsettled:       2048,
		IncomingWindow:     512,
		IncomingBytes:      8 << 20,
		IdleTimeout:        2 * time.Minute,
		MinIdleTimeout:     100 * time.Millisecond,
		HandshakeTimeout:   10 * time.Second,
		CloseTimeout:       2 * time.Second,
		WriteTimeout:       30 * time.Second,
		RelayCredit:        250,
		MaxSenders:         64,
		SubscriptionCredit: 10_000,
		MaxQueuedBytes:     8 << 20,
		MaxTransactions:    256,
		TransactionTimeout: 10 * time.Minute,
		StreamTimeout:      30 * time.Second,
	}
}

// STOMP is the door for STOMP 1.0, 1.1 and 1.2.
type STOMP struct {
	SecureDoor
	MaxHeaders                  int           `yaml:"maxHeaders"`                  // of one frame
	MaxHeaderLine               Size          `yaml:"maxHeaderLine"`               // of one header, name and value together
	MaxHeaderBytes              Size          `yaml:"maxHeaderBytes"`              // of one frame before its body
	MaxHeaderBytesBeforeConnect Size          `yaml:"maxHeaderBytesBeforeConnect"` // of CONNECT itself
	MaxBody                     Size          `yaml:"maxBody"`                     // of one frame, where the address allows as much
	ConnectTimeout              time.Duration `yaml:"connectTimeout"`              // until the whole CONNECT is here
	CloseTimeout                time.Duration `yaml:"closeTimeout"`                // for what is under way when a session ends
	MinHeartBeat                time.Duration `yaml:"minHeartBeat"`                // shortest interval; announced
	MaxInflight                 int           `yaml:"maxInflight"`                 // unanswered requests of one client
	MaxInflightBytes            Size          `yaml:"maxInflightBytes"`            // their bodies together
	MaxSubscriptions            int           `yaml:"maxSubscriptions"`            // of one client
	MaxTransactions             int           `yaml:"maxTransactions"`             // that one client has open
	SubscriptionCredit          int           `yaml:"subscriptionCredit"`          // messages on their way, topic or broadcast
	QueueCredit                 int           `yaml:"queueCredit"`                 // likewise, of what is stored or anycast
	MaxPrefetch                 int           `yaml:"maxPrefetch"`                 // the most that a client may ask for
	MaxQueuedBytes              Size          `yaml:"maxQueuedBytes"`              // on their way, topics and broadcast together
	MaxSenders                  int           `yaml:"maxSenders"`                  // addresses that a client keeps links to
	MaxTemporaries              int           `yaml:"maxTemporaries"`              // temporary queues and topics of one client
	WriteTimeout                time.Duration `yaml:"writeTimeout"`                // how long a client may leave a write untaken
}

func defaultSTOMP() STOMP {
	return STOMP{
		SecureDoor:                  SecureDoor{Door: Door{Enabled: true, Port: 61613}, TLSPort: 61614},
		MaxHeaders:                  128,
		MaxHeaderLine:               8 << 10,
		MaxHeaderBytes:              64 << 10,
		MaxHeaderBytesBeforeConnect: 16 << 10,
		MaxBody:                     16 << 20,
		ConnectTimeout:              10 * time.Second,
		CloseTimeout:                2 * time.Second,
		MinHeartBeat:                time.Second,
		MaxInflight:                 1024,
		MaxInflightBytes:            4 << 20,
		MaxSubscriptions:            1000,
		MaxTransactions:             16,
		SubscriptionCredit:          10_000,
		QueueCredit:                 100,
		MaxPrefetch:                 10_000,
		MaxQueuedBytes:              8 << 20,
		MaxSenders:                  64,
		MaxTemporaries:              64,
		WriteTimeout:                30 * time.Second,
	}
}

// HTTP is the door for HTTP/1.1 and HTTP/2.
type HTTP struct {
	SecureDoor
	Origins        []string      `yaml:"origins"`        // of web pages that may use the door; "*" is all of them
	MaxHeaderBytes Size          `yaml:"maxHeaderBytes"` // of one request's line and headers
	HeaderTimeout  time.Duration `yaml:"headerTimeout"`  // for them to arrive
	MaxBody        Size          `yaml:"maxBody"`        // of one request, where the address allows as much
	BodyTimeout    time.Duration `yaml:"bodyTimeout"`    // for it to arrive
	WriteTimeout   time.Duration `yaml:"writeTimeout"`   // how long a client may leave an answer untaken
	IdleTimeout    time.Duration `yaml:"idleTimeout"`    // between two requests of one connection
	MaxStreams     int           `yaml:"maxStreams"`     // concurrent requests of one HTTP/2 connection
	PingAfter      time.Duration `yaml:"pingAfter"`      // silence of an HTTP/2 connection before it is pinged
	PingTimeout    time.Duration `yaml:"pingTimeout"`    // for the answer to that ping
	OutcomeTimeout time.Duration `yaml:"outcomeTimeout"` // how long a request waits for its outcome
	RetryAfter     time.Duration `yaml:"retryAfter"`     // what Retry-After says
	MaxPoll        time.Duration `yaml:"maxPoll"`        // the longest time that a receive may wait for a message
	Gather         time.Duration `yaml:"gather"`         // how long a receive waits for what a store is still reading
	MaxBatch       int           `yaml:"maxBatch"`       // messages that one receive may ask for, or one batch may send
	LockTime       time.Duration `yaml:"lockTime"`       // how long a received message is locked if nobody says
	MaxLockTime    time.Duration `yaml:"maxLockTime"`    // the longest lock that may be asked for
	MaxLocks       int           `yaml:"maxLocks"`       // messages that one user may hold locked
	Heartbeat      time.Duration `yaml:"heartbeat"`      // silence of an event stream before a comment is sent
	StreamWindow   int           `yaml:"streamWindow"`   // stored messages on their way to one stream, or in a batch of lines
	StreamCredit   int           `yaml:"streamCredit"`   // messages of topics and broadcast on their way to one stream
	MaxQueuedBytes Size          `yaml:"maxQueuedBytes"` // of those
	ResumeTime     time.Duration `yaml:"resumeTime"`     // for a stream's client to come back to where it was
	Webhooks       Webhooks      `yaml:"webhooks"`
}

func defaultHTTP() HTTP {
	return HTTP{
		SecureDoor:     SecureDoor{Door: Door{Enabled: true, Port: 8080}, TLSPort: 8443},
		MaxHeaderBytes: 64 << 10,
		HeaderTimeout:  10 * time.Second,
		MaxBody:        16 << 20,
		BodyTimeout:    30 * time.Second,
		WriteTimeout:   15 * time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxStreams:     250,
		PingAfter:      30 * time.Second,
		PingTimeout:    15 * time.Second,
		OutcomeTimeout: 30 * time.Second,
		RetryAfter:     time.Second,
		MaxPoll:        time.Minute,
		Gather:         50 * time.Millisecond,
		MaxBatch:       100,
		LockTime:       30 * time.Second,
		MaxLockTime:    10 * time.Minute,
		MaxLocks:       1000,
		Heartbeat:      15 * time.Second,
		StreamWindow:   64,
		StreamCredit:   10_000,
		MaxQueuedBytes: 8 << 20,
		ResumeTime:     30 * time.Second,
		Webhooks:       defaultWebhooks(),
	}
}
