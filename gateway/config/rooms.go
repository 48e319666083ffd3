package config

import "time"

// Door is what every listener is told.
type Door struct {
	Enabled bool `yaml:"enabled"`
	Port    int  `yaml:"port"` // before portOffset; 0 takes any free one and is not shifted
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

func defaultLog() Log { return Log{Level: "info", Format: "text"} }

// Limits bound every link, whichever door it comes through.
type Limits struct {
	MaxMessageSize Size `yaml:"maxMessageSize"` // of one encoded message, where its address sets none
	LinkCredit     int  `yaml:"linkCredit"`     // unsettled messages of one sender before it has to wait
}

func defaultLimits() Limits { return Limits{MaxMessageSize: 1 << 20, LinkCredit: 1000} }

// Admin is the door for those who run the gateway: health, metrics.
type Admin struct {
	Door `yaml:",inline"`
}

func defaultAdmin() Admin { return Admin{Door: Door{Enabled: true, Port: 8081}} }

// Store bounds the memory of the store. That a message is on disk before its sender hears so is no setting.
type Store struct {
	CacheSize Size `yaml:"cacheSize"` // of blocks read from disk
}

func defaultStore() Store { return Store{CacheSize: 64 << 20} }

// MQTT is the door for MQTT 3.1.1 and 5.
type MQTT struct {
	Door                       `yaml:",inline"`
	MaxPacketSize              Size          `yaml:"maxPacketSize"`              // of one packet
	MaxPacketSizeBeforeConnect Size          `yaml:"maxPacketSizeBeforeConnect"` // of CONNECT itself
	ConnectTimeout             time.Duration `yaml:"connectTimeout"`             // until the whole CONNECT is here
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
}

func defaultMQTT() MQTT {
	return MQTT{
		Door:                       Door{Enabled: true, Port: 1883},
		MaxPacketSize:              1 << 20,
		MaxPacketSizeBeforeConnect: 16 << 10,
		ConnectTimeout:             10 * time.Second,
		MaxInflight:                1024,
		MaxInflightBytes:           1 << 20,
		MaxUnacknowledged:          256,
		MaxPending:                 1024,
		MaxPendingBytes:            1 << 20,
		MaxRequests:                16,
		MaxSubscriptionsPerPacket:  128,
		MaxTopicLength:             4 << 10,
		TopicAliasMaximum:          16,
	}
}

// HTTP is the door for HTTP/1.1 and HTTP/2.
type HTTP struct {
	Door `yaml:",inline"`
}

func defaultHTTP() HTTP { return HTTP{Door: Door{Enabled: true, Port: 8080}} }
