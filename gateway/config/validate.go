package config

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/rewrite"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// Validate checks a Config that was changed after it was read, by a flag for example. Its error shows every setting that
// is wrong by its path, one a line, as no file is to blame.
func (c *Config) Validate() error {
	if problems := c.validate(); len(problems) > 0 {
		return errors.New(problems.Paths())
	}
	return nil
}

// Paths shows problems without the place in a file.
func (ps Problems) Paths() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = strings.TrimPrefix(p.Path+": "+p.Text, ": ")
	}
	return strings.Join(lines, "\n")
}

const (
	maxPort = 65535
	many    = 1 << 20 // more of anything that one client can have is a mistake
)

func (c *Config) validate() Problems {
	k := new(check)
	k.refuse(!isHost(c.Listen), "listen", "%.80q is no host name or IP address; a port does not belong here", c.Listen)
	k.within("portOffset", c.PortOffset, 0, maxPort)
	k.refuse(c.DataDir == "", "dataDir", "is empty")
	k.span("drainTimeout", c.DrainTimeout, 10*time.Millisecond)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	k.within("log.burst", c.Log.Burst, 0, many)
	k.span("log.interval", c.Log.Interval, time.Second)
	k.size("limits.maxMessageSize", c.Limits.MaxMessageSize, 128, 256<<20)
	k.size("limits.maxWaiting", c.Limits.MaxWaiting, 1<<10, 1<<40)
	k.within("limits.linkCredit", c.Limits.LinkCredit, 1, many)
	k.size("limits.streamBuffer", c.Limits.StreamBuffer, 1<<10, 1<<30)
	k.within("limits.maxTransactionOperations", c.Limits.MaxTransactionOperations, 1, many)
	k.size("limits.maxTransactionSize", c.Limits.MaxTransactionSize, 1<<10, 1<<40)
	k.size("store.cacheSize", c.Store.CacheSize, 1<<20, 1<<40)
	k.size("store.memTableSize", c.Store.MemTableSize, 1<<20, 1<<30)
	k.size("store.maxPending", c.Store.MaxPending, 1<<20, 1<<40)
	k.size("store.minFree", c.Store.MinFree, 1<<20, 1<<50)
	k.within("store.maxQueues", c.Store.MaxQueues, 1, 1<<30)
	k.within("store.maxSubscriptions", c.Store.MaxSubscriptions, 1, 1<<30)
	k.size("store.maxVolatile", c.Store.MaxVolatile, 1<<16, 1<<40)
	k.within("store.maxRetained", c.Store.MaxRetained, 1, 1<<30)
	k.size("store.maxRetainedBytes", c.Store.MaxRetainedBytes, 1<<10, 1<<40)
	c.validateListeners(k)
	c.validateTLS(k)
	c.validateAdmin(k)
	c.validateLogin(k)
	c.validateTracing(k)
	c.validateMQTT(k)
	c.validateAMQP(k)
	c.validateSTOMP(k)
	c.validateCoAP(k)
	c.validateHTTP(k)
	c.validateNetwork(k)
	c.validateTenants(k)
	return k.problems
}

// isHost tells whether text can be the host part of an address to listen at. Empty is every interface.
func isHost(text string) bool {
	return net.ParseIP(text) != nil || !strings.ContainsAny(text, ":/[] ")
}

func (c *Config) validateMQTT(k *check) {
	m := &c.MQTT
	k.size("mqtt.maxPacketSize", m.MaxPacketSize, 128, 256<<20-1)
	k.size("mqtt.maxPacketSizeBeforeConnect", m.MaxPacketSizeBeforeConnect, 128, m.MaxPacketSize)
	k.span("mqtt.connectTimeout", m.ConnectTimeout, 100*time.Millisecond)
	k.within("mqtt.maxQoS", m.MaxQoS, 0, 2)
	k.within("mqtt.maxInflight", m.MaxInflight, 1, maxPort)
	k.size("mqtt.maxInflightBytes", m.MaxInflightBytes, 1, 1<<30)
	k.within("mqtt.maxUnacknowledged", m.MaxUnacknowledged, 1, maxPort)
	k.within("mqtt.maxPending", m.MaxPending, 1, many)
	k.size("mqtt.maxPendingBytes", m.MaxPendingBytes, 1, 1<<30)
	k.within("mqtt.maxRequests", m.MaxRequests, 1, maxPort)
	k.within("mqtt.maxSubscriptionsPerPacket", m.MaxSubscriptionsPerPacket, 1, maxPort)
	k.size("mqtt.maxTopicLength", m.MaxTopicLength, 1, 64<<10-1)
	k.within("mqtt.topicAliasMaximum", m.TopicAliasMaximum, 0, maxPort)
	k.within("mqtt.maxSubscriptions", m.MaxSubscriptions, 1, many)
	k.within("mqtt.maxTopicLevels", m.MaxTopicLevels, 1, addressing.MaxLevels)
	k.within("mqtt.connectRate", m.ConnectRate, 0, 1<<30)
	k.within("mqtt.publishRate", m.PublishRate, 0, 1<<30)
	k.refuse(m.PublishBytes != 0 && (m.PublishBytes < 1<<10 || m.PublishBytes > 1<<40),
		"mqtt.publishBytes", "%v is neither 0 nor from %v to %v", m.PublishBytes, Size(1<<10), Size(1<<40))
	k.within("mqtt.subscriptionCredit", m.SubscriptionCredit, 1, many)
	k.within("mqtt.queueCredit", m.QueueCredit, 1, many)
	k.size("mqtt.maxQueuedBytes", m.MaxQueuedBytes, 1, 1<<30)
	k.within("mqtt.maxSenders", m.MaxSenders, 1, many)
	k.span("mqtt.writeTimeout", m.WriteTimeout, 10*time.Millisecond)
	k.span("mqtt.deliveryTimeout", m.DeliveryTimeout, 100*time.Millisecond)
	k.refuse(m.MaxKeepAlive < 0 || m.MaxKeepAlive > maxPort*time.Second || m.MaxKeepAlive%time.Second != 0,
		"mqtt.maxKeepAlive", "%v is not whole seconds from 0s to %v", m.MaxKeepAlive, maxPort*time.Second)
	k.refuse(m.MaxSessionExpiry < 0 || m.MaxSessionExpiry > 365*24*time.Hour || m.MaxSessionExpiry%time.Second != 0,
		"mqtt.maxSessionExpiry", "%v is not whole seconds from 0s to a year", m.MaxSessionExpiry)
	k.refuse(m.SystemInterval != 0 && (m.SystemInterval < time.Second || m.SystemInterval > 24*time.Hour),
		"mqtt.systemInterval", "%v is neither 0s nor from 1s to a day", m.SystemInterval)
	if m.ResponseTopics != "" {
		_, err := addressing.ParseAddress(m.ResponseTopics)
		k.refuse(err != nil || strings.ContainsAny(m.ResponseTopics, "+#"), "mqtt.responseTopics",
			"%.80q is not a topic, such as replies", m.ResponseTopics)
	}
	k.refuse(len(m.ServerReference) > 1024 || !isPlain(m.ServerReference), "mqtt.serverReference",
		"%.80q is not host names, such as other.example:1883, with spaces between", m.ServerReference)
	k.refuse(m.ServerMoved && m.ServerReference == "", "mqtt.serverMoved", "needs mqtt.serverReference")
	for i, r := range m.Rewrite {
		_, err := rewrite.Parse(r.Match, r.To)
		k.refuse(err != nil, fmt.Sprintf("mqtt.rewrite[%d]", i), "%v", err)
	}
}

// isPlain tells whether a text is of the visible characters of ASCII and spaces.
func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func (c *Config) validateAMQP(k *check) {
	a := &c.AMQP
	c.validateAMQPListeners(k)
	c.validatePolicy(k)
	k.oneOf("amqp.manner", a.Manner, "", DispatchManner)
	k.size("amqp.maxFrameSize", a.MaxFrameSize, 512, 16<<20)
	k.size("amqp.maxHandshakeFrame", a.MaxHandshakeFrame, 512, 1<<20)
	k.within("amqp.channelMax", a.ChannelMax, 0, maxPort)
	k.within("amqp.handleMax", a.HandleMax, 0, maxPort)
	k.within("amqp.maxLinks", a.MaxLinks, 1, 1<<20)
	k.size("amqp.maxKept", a.MaxKept, 1<<10, 1<<30)
	k.size("amqp.maxMessageSize", a.MaxMessageSize, 128, 256<<20)
	k.size("amqp.maxPartial", a.MaxPartial, 1<<10, 1<<40)
	k.within("amqp.maxUnsettled", a.MaxUnsettled, 1, 1<<20)
	k.within("amqp.incomingWindow", a.IncomingWindow, 2, maxPort)
	k.size("amqp.incomingBytes", a.IncomingBytes, 64<<10, 1<<30)
	k.span("amqp.idleTimeout", a.IdleTimeout, time.Millisecond)
	k.span("amqp.minIdleTimeout", a.MinIdleTimeout, time.Millisecond)
	k.span("amqp.handshakeTimeout", a.HandshakeTimeout, time.Millisecond)
	k.span("amqp.closeTimeout", a.CloseTimeout, time.Millisecond)
	k.span("amqp.writeTimeout", a.WriteTimeout, time.Millisecond)
	k.within("amqp.relayCredit", a.RelayCredit, 1, many)
	k.within("amqp.maxSenders", a.MaxSenders, 1, many)
	k.within("amqp.subscriptionCredit", a.SubscriptionCredit, 1, many)
	k.size("amqp.maxQueuedBytes", a.MaxQueuedBytes, 1<<10, 1<<30)
	k.within("amqp.maxTransactions", a.MaxTransactions, 1, many)
	k.span("amqp.transactionTimeout", a.TransactionTimeout, time.Millisecond)
	if a.StreamTimeout != 0 {
		k.span("amqp.streamTimeout", a.StreamTimeout, time.Second)
	}
}

func (c *Config) validateSTOMP(k *check) {
	s := &c.STOMP
	k.within("stomp.maxHeaders", s.MaxHeaders, 16, many)
	k.size("stomp.maxHeaderLine", s.MaxHeaderLine, 128, 16<<20)
	k.size("stomp.maxHeaderBytes", s.MaxHeaderBytes, s.MaxHeaderLine, 16<<20)
	k.size("stomp.maxHeaderBytesBeforeConnect", s.MaxHeaderBytesBeforeConnect, 128, s.MaxHeaderBytes)
	k.size("stomp.maxBody", s.MaxBody, 128, 256<<20)
	k.span("stomp.connectTimeout", s.ConnectTimeout, time.Millisecond)
	k.span("stomp.closeTimeout", s.CloseTimeout, time.Millisecond)
	k.span("stomp.minHeartBeat", s.MinHeartBeat, 10*time.Millisecond)
	k.within("stomp.maxInflight", s.MaxInflight, 1, many)
	k.size("stomp.maxInflightBytes", s.MaxInflightBytes, 1, 1<<30)
	k.within("stomp.maxSubscriptions", s.MaxSubscriptions, 1, many)
	k.within("stomp.maxTransactions", s.MaxTransactions, 1, many)
	k.within("stomp.subscriptionCredit", s.SubscriptionCredit, 1, many)
	k.within("stomp.queueCredit", s.QueueCredit, 1, many)
	k.within("stomp.maxPrefetch", s.MaxPrefetch, 1, many)
	k.size("stomp.maxQueuedBytes", s.MaxQueuedBytes, 1<<10, 1<<30)
	k.within("stomp.maxSenders", s.MaxSenders, 1, many)
	k.within("stomp.maxTemporaries", s.MaxTemporaries, 1, many)
	k.span("stomp.writeTimeout", s.WriteTimeout, time.Millisecond)
}

func (c *Config) validateHTTP(k *check) {
	const tick = 10 * time.Millisecond
	h := &c.HTTP
	validateOrigins(k, "http.origins", h.Origins)
	k.size("http.maxHeaderBytes", h.MaxHeaderBytes, 1<<10, 16<<20)
	k.span("http.headerTimeout", h.HeaderTimeout, tick)
	k.size("http.maxBody", h.MaxBody, 1<<10, 256<<20)
	k.span("http.bodyTimeout", h.BodyTimeout, tick)
	k.span("http.writeTimeout", h.WriteTimeout, tick)
	k.span("http.idleTimeout", h.IdleTimeout, tick)
	k.within("http.maxStreams", h.MaxStreams, 1, many)
	k.span("http.pingAfter", h.PingAfter, tick)
	k.span("http.pingTimeout", h.PingTimeout, tick)
	k.span("http.outcomeTimeout", h.OutcomeTimeout, tick)
	k.span("http.retryAfter", h.RetryAfter, time.Second)
	k.span("http.maxPoll", h.MaxPoll, tick)
	k.span("http.gather", h.Gather, time.Millisecond)
	k.within("http.maxBatch", h.MaxBatch, 1, many)
	k.span("http.maxLockTime", h.MaxLockTime, time.Second)
	k.span("http.lockTime", h.LockTime, time.Second)
	k.refuse(h.LockTime > h.MaxLockTime, "http.lockTime", "%v is above http.maxLockTime, %v", h.LockTime, h.MaxLockTime)
	k.within("http.maxLocks", h.MaxLocks, 1, many)
	k.span("http.heartbeat", h.Heartbeat, tick)
	k.within("http.streamWindow", h.StreamWindow, 1, many)
	k.within("http.streamCredit", h.StreamCredit, 1, many)
	k.size("http.maxQueuedBytes", h.MaxQueuedBytes, 1<<10, 1<<30)
	k.span("http.resumeTime", h.ResumeTime, tick)
	c.validateWebhookDefaults(k)
}

func validateOrigins(k *check, path string, origins []string) {
	for i, origin := range origins {
		err := new(http.CrossOriginProtection).AddTrustedOrigin(origin)
		k.refuse(err != nil && origin != "*", fmt.Sprintf("%s[%d]", path, i),
			"%.80q is neither an origin such as https://app.example nor \"*\"", origin)
	}
}

func (c *Config) validateTenants(k *check) {
	validateRoles(k, "", &Tenant{Users: c.Users, Roles: c.Roles, DefaultRoles: c.DefaultRoles})
	validateUsers(k, "users", c.Users)
	validateAddresses(k, "addresses", c.Addresses)
	c.validateWaypoints(k, "addresses", c.Addresses)
	c.validateHomes(k, "addresses", c.Addresses)
	c.validateWebhooks(k, "webhooks", c.Webhooks, c.Addresses)
	c.validatePlans(k)
	names := make(map[string]bool)
	for i, t := range c.Tenants {
		path := fmt.Sprintf("tenants[%d]", i)
		_, err := tenancy.ParseName(t.Name)
		switch {
		case err != nil:
			k.refuse(true, path+".name", "%v", err)
		case t.Name == tenancy.DefaultTenant && c.hasShortForm():
			k.refuse(true, path+".name", "the top level declares the tenant %q already", t.Name)
		default:
			k.refuse(names[t.Name], path+".name", "the tenant %q is declared twice", t.Name)
		}
		names[t.Name] = true
		c.validateTenant(k, path+".", &t)
	}
}

// validateTenant checks all of a tenant but its name. path goes before its keys.
func (c *Config) validateTenant(k *check, path string, t *Tenant) {
	validateRoles(k, path, t)
	validateUsers(k, path+"users", t.Users)
	validateAddresses(k, path+"addresses", t.Addresses)
	c.validateWaypoints(k, path+"addresses", t.Addresses)
	c.validateHomes(k, path+"addresses", t.Addresses)
	c.validateWebhooks(k, path+"webhooks", t.Webhooks, t.Addresses)
	validateOrigins(k, path+"origins", t.Origins)
	validateTokens(k, path, t)
	c.validatePlanOf(k, path, t.Plan, &t.Limits)
	validateCertificates(k, path, t)
	validateAuthenticator(k, path, t)
}

// validateRoles looks at the roles of a tenant, and at who has them.
func validateRoles(k *check, path string, t *Tenant) {
	first := make(map[string]int, len(t.Roles))
	for i, r := range t.Roles {
		path := fmt.Sprintf("%sroles[%d].name", path, i)
		if _, err := tenancy.ParseRoleName(r.Name); err != nil {
			k.refuse(true, path, "%v", err)
		}
		j, twice := first[r.Name]
		k.refuse(twice, path, "%q is declared in roles[%d] already", r.Name, j)
		first[r.Name] = i
	}
	known := func(path string, names []string) {
		for _, name := range names {
			_, ok := first[name]
			k.refuse(!ok, path, "no role %q is declared", name)
		}
	}
	known(path+"defaultRoles", t.DefaultRoles)
	for i, u := range t.Users {
		known(fmt.Sprintf("%susers[%d].roles", path, i), u.Roles)
	}
}

func validateUsers(k *check, path string, users []User) {
	first := make(map[string]int, len(users))
	for i, u := range users {
		path := fmt.Sprintf("%s[%d].name", path, i)
		if _, err := tenancy.ParseUserName(u.Name); err != nil {
			k.refuse(true, path, "%v", err)
		}
		j, twice := first[u.Name]
		k.refuse(twice, path, "%q is declared in users[%d] already", u.Name, j)
		first[u.Name] = i
	}
}

func validateAddresses(k *check, path string, addresses []Address) {
	first := make(map[addressing.Filter]int, len(addresses))
	for i := range addresses {
		a := &addresses[i]
		if a.Name.IsZero() {
			k.refuse(true, fmt.Sprintf("%s[%d]", path, i), "the name is missing")
			continue
		}
		if j, twice := first[a.Name]; twice {
			k.refuse(true, fmt.Sprintf("%s[%d].name", path, i), "%q is declared in %s[%d] already", a.Name, path, j)
			continue
		}
		first[a.Name] = i
		def := a.Definition()
		if err := def.Validate(); err != nil {
			k.refuse(true, fmt.Sprintf("%s[%d]", path, i), "%v", err)
		}
	}
}
