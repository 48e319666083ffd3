// Package config reads what a person writes about a gateway.
//
// Its promises: defaults are set before a file is decoded, so a file says only what differs from them. Nothing in a
// file is skipped: a key that does not exist is refused with the nearest one that does. Everything that is wrong is
// reported at once, each with file, line and the path of its key. A Config that Load, Parse or Default gives is valid.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/configs"
	"github.com/manifoldmq/manifold/tenancy"
)

// Config is all that a gateway is told: one struct for each room, and what concerns them all.
type Config struct {
	Listen       string        `yaml:"listen"`       // host or IP address that every door listens at
	PortOffset   int           `yaml:"portOffset"`   // added to every port, for several gateways on one machine
	DataDir      string        `yaml:"dataDir"`      // where messages are stored
	DrainTimeout time.Duration `yaml:"drainTimeout"` // how long clients get to finish when the process stops
	Log          Log           `yaml:"log"`
	Limits       Limits        `yaml:"limits"`
	Store        Store         `yaml:"store"`
	TLS          TLS           `yaml:"tls"`
	Login        Login         `yaml:"login"`
	Audit        Audit         `yaml:"audit"`
	Tracing      Tracing       `yaml:"tracing"`
	MQTT         MQTT          `yaml:"mqtt"`
	AMQP         AMQP          `yaml:"amqp"`
	STOMP        STOMP         `yaml:"stomp"`
	CoAP         CoAP          `yaml:"coap"`
	HTTP         HTTP          `yaml:"http"`
	Network      Network       `yaml:"network"`
	Admin        Admin         `yaml:"admin"`
	Plans        []Plan        `yaml:"plans"` // what tenants may use that name one of them
	Tenants      []Tenant      `yaml:"tenants"`
	Anonymous    bool          `yaml:"anonymous"` // short for that of the tenant "default"
	Users        []User        `yaml:"users"`     // short for those of the tenant "default"
	Roles        []Role        `yaml:"roles"`     // likewise
	DefaultRoles []string      `yaml:"defaultRoles"`
	Addresses    []Address     `yaml:"addresses"` // likewise
	Webhooks     []Webhook     `yaml:"webhooks"`  // likewise
	Plan         string        `yaml:"plan"`      // likewise
}

// Default is the configuration of an empty file: every setting's default, and no tenant.
func Default() Config {
	return Config{
		Listen:       "127.0.0.1",
		DataDir:      "manifold-data",
		DrainTimeout: 10 * time.Second,
		Log:          defaultLog(),
		Limits:       defaultLimits(),
		Store:        defaultStore(),
		TLS:          defaultTLS(),
		Login:        defaultLogin(),
		Tracing:      defaultTracing(),
		MQTT:         defaultMQTT(),
		AMQP:         defaultAMQP(),
		STOMP:        defaultSTOMP(),
		CoAP:         defaultCoAP(),
		HTTP:         defaultHTTP(),
		Network:      defaultNetwork(),
		Admin:        defaultAdmin(),
	}
}

// Quickstart is the configuration of a gateway that was given none: configs/quickstart.yaml.
func Quickstart() (Config, error) {
	return Parse("quickstart.yaml", configs.Quickstart)
}

// Load reads a file. Its error is Problems when the file could be read.
func Load(file string) (Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", withoutOperation(err))
	}
	return Parse(file, text)
}

// withoutOperation leaves out of a file error that the file was opened or read, which the reader knows.
func withoutOperation(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", e.Path, e.Err)
	}
	return err
}

// Parse reads the text of the file named file. Its error is Problems.
func Parse(file string, text []byte) (Config, error) {
	doc, problems := parseDocument(file, text)
	c := Default()
	if len(problems) == 0 {
		problems = doc.decodeInto(&c)
	}
	if len(problems) == 0 {
		problems = doc.located(c.validate())
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
		return Config{}, problems
	}
	return c, nil
}

// AllTenants gives the tenants with the short form spelled out: the tenant "default" comes first when the top level
// declares users or addresses for it or lets anybody in.
func (c *Config) AllTenants() []Tenant {
	if !c.hasShortForm() {
		return c.Tenants
	}
	short := Tenant{
		Name: tenancy.DefaultTenant, Anonymous: c.Anonymous, Users: c.Users, Roles: c.Roles, DefaultRoles: c.DefaultRoles,
		Addresses: c.Addresses, Webhooks: c.Webhooks, Plan: c.Plan,
	}
	return append([]Tenant{short}, c.Tenants...)
}

func (c *Config) hasShortForm() bool {
	return c.Anonymous || len(c.Users)+len(c.Roles)+len(c.DefaultRoles)+len(c.Addresses)+len(c.Webhooks) > 0
}

// WithoutTenants is all of a configuration but its tenants. Their plans stay.
func (c Config) WithoutTenants() Config {
	c.Tenants, c.Anonymous, c.Users, c.Roles, c.DefaultRoles, c.Addresses, c.Webhooks = nil, false, nil, nil, nil, nil, nil
	c.Plan = ""
	return c
}
