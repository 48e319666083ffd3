package tenancy

import "fmt"

// Limit is something of which a tenant may use only so much.
type Limit uint8

// The limits.
const (
	MaxConnections           Limit = iota
	MaxConnectionsPerUser          // of one user; those who are anonymous are one user together
	MaxConnectionsPerAddress       // from one address of origin; of IPv6, from one network of 64 bits
	MaxLinks                       // links to addresses that are open at once, for sending and for receiving
	MaxSessions                    // sessions of MQTT that outlive their connections
	MaxMessageSize                 // bytes of an encoded message
	MaxTopicLevels                 // levels of an address, or of a filter
	MessagesIn                     // a second, that clients send
	BytesIn                        // likewise
	MessagesOut                    // a second, that clients receive
	BytesOut                       // likewise
	MaxStoredMessages              // in all queues and durable subscriptions together
	MaxStoredBytes                 // likewise
	MaxQueues                      // those that are made because somebody uses them included
	MaxSubscriptions               // durable ones
	MaxRetained                    // retained messages
	MaxRetainedBytes               // their bytes
	limitCount
)

// LimitCount is the number of limits.
const LimitCount = int(limitCount)

var limitNames = [limitCount]string{
	"maxConnections", "maxConnectionsPerUser", "maxConnectionsPerAddress", "maxLinks", "maxSessions", "maxMessageSize",
	"maxTopicLevels", "messagesIn", "bytesIn", "messagesOut", "bytesOut", "maxStoredMessages", "maxStoredBytes", "maxQueues",
	"maxSubscriptions", "maxRetained", "maxRetainedBytes",
}

// String gives the name of the setting.
func (l Limit) String() string { return limitNames[l] }

// IsRate tells whether the limit is one of how much there may be in a second.
func (l Limit) IsRate() bool { return MessagesIn <= l && l <= BytesOut }

// IsCounted tells whether the limit is one of how much is used at once, of all of the tenant together.
func (l Limit) IsCounted() bool {
	switch l {
	case MaxConnectionsPerUser, MaxConnectionsPerAddress, MaxMessageSize, MaxTopicLevels:
		return false
	}
	return !l.IsRate()
}

// Limits gives all there are.
func Limits() []Limit {
	all := make([]Limit, limitCount)
	for i := range all {
		all[i] = Limit(i)
	}
	return all
}

// Exceeded refuses what is beyond a limit. Clients may be told.
type Exceeded struct {
	Limit Limit
	Most  int64
}

func (e *Exceeded) Error() string {
	unit := ""
	if e.Limit.IsRate() {
		unit = " a second"
	}
	return fmt.Sprintf("beyond what the tenant may use (limits.%s: %d%s)", e.Limit, e.Most, unit)
}
