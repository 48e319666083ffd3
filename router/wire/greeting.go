package wire

import (
	"fmt"
	"net"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Greeting is what one side of a connection tells the other in open, beside what it is [2.7.1].
type Greeting struct {
	Failover   []Alternative // where to go when the connection is lost, the best first
	Properties amqp.RawValue // a map whose keys are symbols, none of them the program's own; empty for none
}

// Alternative is a place where to go instead.
type Alternative struct {
	Scheme     string // amqp or amqps; empty does not say
	Host, Port string
}

// The property of open in which brokers and routers tell alternatives: a list of maps with these keys.
const (
	failoverProperty = "failover-server-list"
	failoverScheme   = "scheme"
	failoverHost     = "network-host"
	failoverPort     = "port"
)

// MaxAlternatives is how many of those that the other side tells are heeded.
const MaxAlternatives = 32

// Write adds it to the properties of an open.
func (g *Greeting) Write(w *amqp.MapWriter) {
	if len(g.Failover) > 0 {
		list := amqp.BeginList(w.Key(failoverProperty))
		for _, a := range g.Failover {
			list.Put(a.appendTo(list.Buffer()))
		}
		w.Put(list.End())
	}
	if fields, ok := g.Properties.Map(); ok {
		for key, value := range fields.All() {
			w.Pair(key, value)
		}
	}
}

func (a *Alternative) appendTo(dst []byte) []byte {
	w := amqp.BeginFields(dst)
	if a.Scheme != "" {
		w.String(failoverScheme, a.Scheme)
	}
	w.String(failoverHost, a.Host)
	w.String(failoverPort, a.Port)
	return w.End()
}

// FailoverIn gives the alternatives in the properties of an open, each as host:port; told is whether it has any word on them: a list may
// be empty. What makes no sense is left out.
func FailoverIn(properties amqp.RawValue) (hosts []string, told bool) {
	fields, _ := properties.Map()
	raw, _ := fields.Lookup(failoverProperty)
	list, told := raw.Value().(amqp.List)
	for _, item := range list[:min(len(list), MaxAlternatives)] {
		m, _ := item.(amqp.Map)
		host, port := textAt(m, failoverHost), portIn(m)
		if host != "" && port != "" {
			hosts = append(hosts, net.JoinHostPort(host, port))
		}
	}
	return hosts, told
}

// portIn gives the port of an alternative, which routers tell as a text and brokers as a number; empty for none.
func portIn(m amqp.Map) string {
	switch port, _ := m.Get(failoverPort); port.(type) {
	case int32, int64, uint16, uint32, uint64:
		return fmt.Sprint(port)
	}
	return textAt(m, failoverPort)
}

// textAt gives the text at a key, which is a symbol or a string; empty for none.
func textAt(m amqp.Map, key string) string {
	value, _ := m.Get(key)
	text, _ := value.(string)
	return text
}
