package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/manifoldmq/manifold/tenancy"
)

// Admin is the door for those who run the gateway: health, metrics and the admin API.
type Admin struct {
	Door
	Listen          string      `yaml:"listen"`          // host name or IP address; none is that of all doors
	TLS             bool        `yaml:"tls"`             // whether it speaks TLS only
	Anonymous       string      `yaml:"anonymous"`       // who may do everything without showing who he is: nobody, loopback or everybody
	Hosts           []string    `yaml:"hosts"`           // names of this host for such clients, besides localhost
	Users           []Operator  `yaml:"users"`           // who run the gateway
	Tokens          []AuthToken `yaml:"tokens"`          // of those who do
	OpenMetrics     bool        `yaml:"openMetrics"`     // whether /metrics is for whoever reaches the port
	MaxQueueMetrics int         `yaml:"maxQueueMetrics"` // queues and durable subscriptions that metrics tell of, each by name
	Profiling       bool        `yaml:"profiling"`       // whether those who run the gateway may take profiles of it
}

// Operator is somebody who runs the gateway and shows a password.
type Operator struct {
	Name       string             `yaml:"name"`
	Credential tenancy.Credential `yaml:"credential" secret:"true"`
}

// AuthToken lets in whoever shows a token; Hash is what is kept of it.
type AuthToken struct {
	Name string    `yaml:"name"`
	Hash TokenHash `yaml:"hash"`
}

// TokenHash is the SHA-256 of a token, which is too long to be guessed. Its text is "sha256:" and hexadecimal digits.
type TokenHash [sha256.Size]byte

const hashPrefix = "sha256:"

// HashToken gives the hash of a token.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// String gives the hash as UnmarshalText reads it.
func (h TokenHash) String() string { return hashPrefix + hex.EncodeToString(h[:]) }

// UnmarshalText reads a hash.
func (h *TokenHash) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), hashPrefix)
	sum, err := hex.DecodeString(digits)
	if !ok || err != nil || len(sum) != len(h) {
		return errors.New("not the hash of a token; `manifold passwd --token NAME` makes both")
	}
	*h = TokenHash(sum)
	return nil
}

// Anonymity are the values of admin.anonymous.
var Anonymity = []string{"nobody", "loopback", "everybody"}

func defaultAdmin() Admin {
	return Admin{Door: Door{Enabled: true, Port: 8081}, Anonymous: "loopback", MaxQueueMetrics: 1000}
}

// HasOperators tells whether anybody can show that he runs the gateway.
func (a *Admin) HasOperators() bool { return len(a.Users)+len(a.Tokens) > 0 }

func (c *Config) validateAdmin(k *check) {
	a := &c.Admin
	k.refuse(!isHost(a.Listen), "admin.listen", "%.80q is no host name or IP address; a port does not belong here", a.Listen)
	k.refuse(a.TLS && !c.TLS.Enabled(), "admin.tls", "needs tls.certificate and tls.key")
	k.oneOf("admin.anonymous", a.Anonymous, Anonymity...)
	k.within("admin.maxQueueMetrics", a.MaxQueueMetrics, 0, many)
	for i, host := range a.Hosts {
		k.refuse(host == "" || !isHost(host), fmt.Sprintf("admin.hosts[%d]", i), "%.80q is no host name", host)
	}
	users := make([]User, len(a.Users))
	for i, o := range a.Users {
		users[i] = User{Name: o.Name, Credential: o.Credential}
		k.refuse(o.Credential.IsZero(), fmt.Sprintf("admin.users[%d].credential", i), "is missing; `manifold passwd NAME` makes one")
	}
	validateUsers(k, "admin.users", users)
	for i, t := range a.Tokens {
		at := fmt.Sprintf("admin.tokens[%d]", i)
		k.refuse(!isLabel(t.Name), at+".name", "%.80q is not 1 to 63 letters, digits, hyphens, dots and underscores", t.Name)
		k.refuse(t.Hash == TokenHash{}, at+".hash", "is missing; `manifold passwd --token NAME` makes one")
	}
}
