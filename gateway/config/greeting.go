package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/wire"
)

// Properties are keys with values of any kind that JSON has, such as those of AMQP's open: an object of JSON, or empty for none.
type Properties string

// ParseProperties reads an object of JSON.
func ParseProperties(text []byte) (Properties, error) {
	t, err := plantJSON(text)
	if err == nil && t.form != section {
		err = errors.New("it is no object")
	}
	return propertiesOf(&t), err
}

// propertiesOf gives those of a section; one with nothing in it has none.
func propertiesOf(t *tree) Properties {
	if len(t.entries) == 0 {
		return ""
	}
	var b bytes.Buffer
	t.writeJSON(&b)
	return Properties(b.String())
}

// section gives them as they were written.
func (p Properties) section() tree {
	t, _ := plantJSON([]byte(p)) // what was read can be read
	return t
}

// AMQP gives them as a map of AMQP with symbols as keys, nil for none. Whole numbers are longs, and others doubles.
func (p Properties) AMQP() amqp.RawValue {
	if p == "" {
		return nil
	}
	w := amqp.BeginFields(nil)
	for _, e := range p.section().entries {
		w.Put(e.value.appendAMQP(w.Key(e.key)))
	}
	return w.End()
}

// appendAMQP appends the tree as a value of AMQP.
func (t *tree) appendAMQP(dst []byte) []byte {
	switch t.form {
	case section:
		w := amqp.BeginMap(dst)
		for i := range t.entries {
			w.Put(t.entries[i].value.appendAMQP(w.Key(t.entries[i].key)))
		}
		return w.End()
	case list:
		// A null at the end of the list is an element of it, which a ListWriter takes for a field that is left out.
		values := make(amqp.List, len(t.items))
		for i := range t.items {
			values[i] = amqp.RawValue(t.items[i].appendAMQP(nil)).Value()
		}
		dst, _ = amqp.AppendAny(dst, values) // what was encoded can be encoded
		return dst
	case value:
		return t.appendScalar(dst)
	}
	return amqp.AppendNull(dst)
}

func (t *tree) appendScalar(dst []byte) []byte {
	if t.style != number {
		return amqp.AppendString(dst, t.text)
	}
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return amqp.AppendLong(dst, n)
	}
	if b, err := strconv.ParseBool(t.text); err == nil {
		return amqp.AppendBool(dst, b)
	}
	f, _ := json.Number(t.text).Float64() // one that is too large is infinite
	return amqp.AppendDouble(dst, f)
}

// reserved are the properties of open that the gateway says itself, or takes notice of.
var reserved = []string{"product", "version", "platform", "failover-server-list", "network-host", "port", "scheme", "hostname"}

// reservedPrefixes begin those of which the same is true.
var reservedPrefixes = []string{"qd.", "x-opt-qd.", "amqp:", "sole-connection-"}

// ReservedKeyError refuses a property that the gateway says itself, or takes notice of.
type ReservedKeyError struct{ Key string }

func (e *ReservedKeyError) Error() string { return fmt.Sprintf("the key %.80q is reserved", e.Key) }

// Check tells why they cannot be told in open: a *ReservedKeyError, or another one.
func (p Properties) Check(betweenRouters bool) error {
	for _, e := range p.section().entries {
		key := e.key
		switch {
		case slices.Contains(reserved, key), slices.ContainsFunc(reservedPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }):
			return &ReservedKeyError{Key: key}
		case key == "" || !isPlain(key):
			return fmt.Errorf("the key %.80q is not of ASCII", key)
		}
	}
	if betweenRouters && p != "" {
		return errors.New("is not for connections between routers")
	}
	return nil
}

func (p Properties) validate(k *check, path string, betweenRouters bool) {
	if err := p.Check(betweenRouters); err != nil {
		k.refuse(true, path, "%v", err)
	}
}

// Greeting gives what who comes in is told in open.
func (l *AMQPListener) Greeting() wire.Greeting {
	g := wire.Greeting{Properties: l.OpenProperties.AMQP()}
	for _, text := range l.Failover {
		if a, err := ParseAlternative(text); err == nil {
			g.Failover = append(g.Failover, a)
		}
	}
	return g
}

// ParseAlternative reads where else to go: a host, perhaps with a port behind it, and with amqp:// or amqps:// before it.
func ParseAlternative(text string) (a wire.Alternative, err error) {
	rest := text
	if scheme, behind, ok := strings.Cut(text, "://"); ok {
		a.Scheme, rest = scheme, behind
	}
	port := "5672"
	if a.Scheme == "amqps" {
		port = "5671"
	}
	if a.Host, a.Port, err = net.SplitHostPort(rest); err != nil {
		a.Host, a.Port = strings.Trim(rest, "[]"), port
	}
	a.Port = cmp.Or(a.Port, port)
	n, err := strconv.ParseUint(a.Port, 10, 16)
	if a.Scheme != "" && a.Scheme != "amqp" && a.Scheme != "amqps" || a.Host == "" || err != nil || n == 0 || !isHost(a.Host) {
		return a, fmt.Errorf("%.80q is no host and port, such as other.example:5672 or amqps://other.example", text)
	}
	return a, nil
}

// validateGreeting looks at what who comes in is told, of a listener whose settings begin with at.
func (l *AMQPListener) validateGreeting(k *check, at string) {
	k.refuse(len(l.Failover) > wire.MaxAlternatives, at+"failover", "there are %d, more than %d", len(l.Failover), wire.MaxAlternatives)
	for i, text := range l.Failover {
		if _, err := ParseAlternative(text); err != nil {
			k.refuse(true, fmt.Sprintf("%sfailover[%d]", at, i), "%v", err)
		}
	}
	l.OpenProperties.validate(k, at+"openProperties", l.Role == InterRouterRole || l.Role == EdgeRole)
}
