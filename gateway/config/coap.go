package config

import (
	"time"
)

// CoAP is the door for CoAP over UDP and TCP, which use the same port numbers, with DTLS and TLS.
type CoAP struct {
	SecureDoor
	TCP              bool `yaml:"tcp"`              // whether connections are taken too, besides datagrams
	QueryCredentials bool `yaml:"queryCredentials"` // whether a request may say in its query who it is from

	MaxPeers       int  `yaml:"maxPeers"`       // at once over UDP, and as many over DTLS
	MaxDatagram    Size `yaml:"maxDatagram"`    // of one datagram
	MaxBody        Size `yaml:"maxBody"`        // of one request, where the address allows as much
	MaxUploads     int  `yaml:"maxUploads"`     // bodies that one client has under way
	MaxUploadBytes Size `yaml:"maxUploadBytes"` // of these together
	MaxBlockBytes  Size `yaml:"maxBlockBytes"`  // of unfinished bodies of all clients
	MaxKept        int  `yaml:"maxKept"`        // answers that are kept for a client that fetches them block by block
	MaxKeptBytes   Size `yaml:"maxKeptBytes"`   // of these together
	BlockSize      Size `yaml:"blockSize"`      // of a block that is sent or asked for

	UploadTimeout time.Duration `yaml:"uploadTimeout"` // how long a body waits for its next block
	KeepTimeout   time.Duration `yaml:"keepTimeout"`   // how long an answer is kept after its last block

	AckTimeout       time.Duration `yaml:"ackTimeout"`       // before a message is sent again
	AckRandomFactor  float64       `yaml:"ackRandomFactor"`  // which spreads that
	MaxRetransmit    int           `yaml:"maxRetransmit"`    // how often it is
	NStart           int           `yaml:"nStart"`           // unacknowledged messages to one client
	SeparateAfter    time.Duration `yaml:"separateAfter"`    // when a request is acknowledged ahead of its response
	ExchangeLifetime time.Duration `yaml:"exchangeLifetime"` // how long a confirmable request is remembered
	NonLifetime      time.Duration `yaml:"nonLifetime"`      // how long another one is
	MaxRemembered    int           `yaml:"maxRemembered"`    // requests of one client that are
	MaxAnswerBytes   Size          `yaml:"maxAnswerBytes"`   // of the answers to them
	MaxExchanges     int           `yaml:"maxExchanges"`     // unanswered requests of one client
	ConfirmEvery     int           `yaml:"confirmEvery"`     // notifications of which one at least is confirmable; 0 is one a day
	PingAfter        time.Duration `yaml:"pingAfter"`        // silence of an observer over UDP or DTLS before it is pinged
	Amplification    int           `yaml:"amplification"`    // bytes for each received, to an unproven address; 0 is any
	EchoLifetime     time.Duration `yaml:"echoLifetime"`     // how long a proof of an address is good

	MaxMessage      Size          `yaml:"maxMessage"`      // of one message over TCP; announced
	MaxOptions      int           `yaml:"maxOptions"`      // of one message over TCP
	MaxOwed         Size          `yaml:"maxOwed"`         // answers that wait to be written to one connection
	GreetingTimeout time.Duration `yaml:"greetingTimeout"` // until the first message of a connection
	CloseTimeout    time.Duration `yaml:"closeTimeout"`    // for what is under way when a connection ends
	WriteTimeout    time.Duration `yaml:"writeTimeout"`    // how long a client may leave a write untaken

	MaxHandshakes       int           `yaml:"maxHandshakes"`       // of DTLS under way
	HandshakesPerSecond int           `yaml:"handshakesPerSecond"` // of DTLS with certificates
	MaxHandshakeMessage Size          `yaml:"maxHandshakeMessage"` // of one
	HandshakeTimeout    time.Duration `yaml:"handshakeTimeout"`    // for one
	RetransmitTimeout   time.Duration `yaml:"retransmitTimeout"`   // before a part of one is sent again
	SessionTimeout      time.Duration `yaml:"sessionTimeout"`      // how long one of DTLS is kept whose client is silent

	MaxSenders         int           `yaml:"maxSenders"`         // addresses that a client's messages keep links to
	MaxUsers           int           `yaml:"maxUsers"`           // that the requests of one client may speak for
	MaxObservations    int           `yaml:"maxObservations"`    // of one client
	SubscriptionCredit int           `yaml:"subscriptionCredit"` // messages on their way, topic or broadcast
	QueueCredit        int           `yaml:"queueCredit"`        // likewise, of what is stored or anycast
	MaxQueuedBytes     Size          `yaml:"maxQueuedBytes"`     // on their way, topics and broadcast together
	OutcomeTimeout     time.Duration `yaml:"outcomeTimeout"`     // how long a request waits for its outcome
	RetryAfter         time.Duration `yaml:"retryAfter"`         // what Max-Age says to who is to try again
	MaxPoll            time.Duration `yaml:"maxPoll"`            // the longest time that a receive may wait for a message
	LockTime           time.Duration `yaml:"lockTime"`           // how long a received message is locked if nobody says
	MaxLockTime        time.Duration `yaml:"maxLockTime"`        // the longest lock that may be asked for
	MaxLocks           int           `yaml:"maxLocks"`           // messages that one user may hold locked
	MaxTopics          int           `yaml:"maxTopics"`          // that a tenant's clients may configure
}

func defaultCoAP() CoAP {
	return CoAP{
		SecureDoor:          SecureDoor{Door: Door{Enabled: true, Port: 5683}, TLSPort: 5684},
		TCP:                 true,
		MaxPeers:            200_000,
		MaxDatagram:         2 << 10,
		MaxBody:             1 << 20,
		MaxUploads:          4,
		MaxUploadBytes:      2 << 20,
		MaxBlockBytes:       256 << 20,
		MaxKept:             8,
		MaxKeptBytes:        4 << 20,
		BlockSize:           1 << 10,
		UploadTimeout:       247 * time.Second,
		KeepTimeout:         247 * time.Second,
		AckTimeout:          2 * time.Second,
		AckRandomFactor:     1.5,
		MaxRetransmit:       4,
		NStart:              1,
		SeparateAfter:       500 * time.Millisecond,
		ExchangeLifetime:    247 * time.Second,
		NonLifetime:         145 * time.Second,
		MaxRemembered:       4096,
		MaxAnswerBytes:      64 << 10,
		MaxExchanges:        64,
		ConfirmEvery:        32,
		PingAfter:           24 * time.Hour,
		Amplification:       3,
		EchoLifetime:        4 * time.Minute,
		MaxMessage:          256 << 10,
		MaxOptions:          64,
		MaxOwed:             64 << 10,
		GreetingTimeout:     10 * time.Second,
		CloseTimeout:        5 * time.Second,
		WriteTimeout:        30 * time.Second,
		MaxHandshakes:       1024,
		HandshakesPerSecond: 300,
		MaxHandshakeMessage: 16 << 10,
		HandshakeTimeout:    30 * time.Second,
		RetransmitTimeout:   2 * time.Second,
		SessionTimeout:      24 * time.Hour,
		MaxSenders:          32,
		MaxUsers:            16,
		MaxObservations:     256,
		SubscriptionCredit:  256,
		QueueCredit:         8,
		MaxQueuedBytes:      1 << 20,
		OutcomeTimeout:      30 * time.Second,
		RetryAfter:          time.Second,
		MaxPoll:             time.Minute,
		LockTime:            time.Minute,
		MaxLockTime:         10 * time.Minute,
		MaxLocks:            1000,
		MaxTopics:           10_000,
	}
}

// HasKeys tells whether a client can prove a pre-shared key, so that DTLS needs no certificate.
func (c *Config) HasKeys() bool {
	for _, t := range c.AllTenants() {
		for _, u := range t.Users {
			if !u.Key.IsZero() {
				return true
			}
		}
	}
	return false
}

func (c *Config) validateCoAP(k *check) {
	const tick = 10 * time.Millisecond
	o := &c.CoAP
	for _, n := range []struct {
		name           string
		value, low, up int
	}{
		{"maxPeers", o.MaxPeers, 1, 1 << 24},
		{"maxUploads", o.MaxUploads, 1, 1024},
		{"maxKept", o.MaxKept, 1, 1024},
		{"maxRetransmit", o.MaxRetransmit, 0, 16},
		{"nStart", o.NStart, 1, maxPort},
		{"maxRemembered", o.MaxRemembered, 1, maxPort + 1},
		{"maxExchanges", o.MaxExchanges, 1, maxPort},
		{"confirmEvery", o.ConfirmEvery, 0, many},
		{"amplification", o.Amplification, 0, 1000},
		{"maxOptions", o.MaxOptions, 16, many},
		{"maxHandshakes", o.MaxHandshakes, 1, many},
		{"handshakesPerSecond", o.HandshakesPerSecond, 1, many},
		{"maxSenders", o.MaxSenders, 1, many},
		{"maxUsers", o.MaxUsers, 1, many},
		{"maxObservations", o.MaxObservations, 1, many},
		{"subscriptionCredit", o.SubscriptionCredit, 1, many},
		{"queueCredit", o.QueueCredit, 1, many},
		{"maxLocks", o.MaxLocks, 1, many},
		{"maxTopics", o.MaxTopics, 1, many},
	} {
		k.within("coap."+n.name, n.value, n.low, n.up)
	}
	for _, s := range []struct {
		name           string
		value, low, up Size
	}{
		{"maxDatagram", o.MaxDatagram, 1280, 64 << 10},
		{"maxBody", o.MaxBody, 1 << 10, 256 << 20},
		{"maxUploadBytes", o.MaxUploadBytes, 1 << 10, 1 << 30},
		{"maxBlockBytes", o.MaxBlockBytes, 1 << 20, 1 << 40},
		{"maxKeptBytes", o.MaxKeptBytes, 1 << 10, 1 << 30},
		{"blockSize", o.BlockSize, 16, 1 << 10},
		{"maxAnswerBytes", o.MaxAnswerBytes, 1 << 10, 1 << 30},
		{"maxMessage", o.MaxMessage, 1152, 256 << 20},
		{"maxOwed", o.MaxOwed, 1 << 10, 1 << 30},
		{"maxHandshakeMessage", o.MaxHandshakeMessage, 1 << 10, 1 << 20},
		{"maxQueuedBytes", o.MaxQueuedBytes, 1 << 10, 1 << 30},
	} {
		k.size("coap."+s.name, s.value, s.low, s.up)
	}
	for _, d := range []struct {
		name       string
		value, low time.Duration
	}{
		{"uploadTimeout", o.UploadTimeout, tick},
		{"keepTimeout", o.KeepTimeout, tick},
		{"ackTimeout", o.AckTimeout, tick},
		{"separateAfter", o.SeparateAfter, time.Millisecond},
		{"exchangeLifetime", o.ExchangeLifetime, tick},
		{"nonLifetime", o.NonLifetime, tick},
		{"pingAfter", o.PingAfter, time.Second},
		{"echoLifetime", o.EchoLifetime, time.Second},
		{"greetingTimeout", o.GreetingTimeout, tick},
		{"closeTimeout", o.CloseTimeout, tick},
		{"writeTimeout", o.WriteTimeout, tick},
		{"handshakeTimeout", o.HandshakeTimeout, tick},
		{"retransmitTimeout", o.RetransmitTimeout, tick},
		{"sessionTimeout", o.SessionTimeout, time.Second},
		{"outcomeTimeout", o.OutcomeTimeout, tick},
		{"retryAfter", o.RetryAfter, time.Second},
		{"maxPoll", o.MaxPoll, tick},
		{"maxLockTime", o.MaxLockTime, time.Second},
		{"lockTime", o.LockTime, time.Second},
	} {
		k.span("coap."+d.name, d.value, d.low)
	}
	k.refuse(!(o.AckRandomFactor >= 1 && o.AckRandomFactor <= 10), "coap.ackRandomFactor",
		"%v is not from 1 to 10", o.AckRandomFactor)
	k.refuse(o.BlockSize&(o.BlockSize-1) != 0, "coap.blockSize", "%v is not a power of two", o.BlockSize)
	k.refuse(o.LockTime > o.MaxLockTime, "coap.lockTime", "%v is above coap.maxLockTime, %v", o.LockTime, o.MaxLockTime)
}
