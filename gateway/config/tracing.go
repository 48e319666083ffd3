package config

import (
	"net/url"
	"time"
)

// Tracing says which messages are followed, and which collector of OpenTelemetry is told of them.
type Tracing struct {
	Endpoint    string        `yaml:"endpoint"`    // the collector's URL, for OTLP over HTTP; none follows nothing
	HeadersFile string        `yaml:"headersFile"` // what the collector wants to see, a line "Name: value" each
	Ratio       float64       `yaml:"ratio"`       // of the messages that name no trace, how many begin one
	MaxRate     int           `yaml:"maxRate"`     // spans a second; messages beyond it are not followed
	MaxQueued   int           `yaml:"maxQueued"`   // spans that wait for the collector; more are dropped
	Interval    time.Duration `yaml:"interval"`    // how long spans gather before they are sent
}

func defaultTracing() Tracing {
	return Tracing{MaxRate: 1000, MaxQueued: 2048, Interval: 5 * time.Second}
}

func (c *Config) validateTracing(k *check) {
	t := &c.Tracing
	u, err := url.Parse(t.Endpoint)
	k.refuse(t.Endpoint != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == ""),
		"tracing.endpoint", "%.80q is no URL, such as http://localhost:4318", t.Endpoint)
	k.refuse(err == nil && u.User != nil, "tracing.endpoint", "has a password; it belongs into tracing.headersFile")
	k.refuse(!(t.Ratio >= 0 && t.Ratio <= 1), "tracing.ratio", "%v is not from 0 to 1", t.Ratio)
	k.refuse(t.HeadersFile != "" && t.Endpoint == "", "tracing.headersFile", "needs tracing.endpoint")
	k.within("tracing.maxRate", t.MaxRate, 1, many)
	k.within("tracing.maxQueued", t.MaxQueued, 1, many)
	k.span("tracing.interval", t.Interval, 10*time.Millisecond)
}
