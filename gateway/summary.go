package gateway

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/tenancy"
)

// Endpoint is a door as a person sees it.
type Endpoint struct {
	Door    string // mqtt, http or admin
	Address net.Addr
	Try     string // a command that uses it; empty when nothing fitting is declared
}

// WriteSummary shows where a gateway listens, and one line to try each door.
func WriteSummary(w io.Writer, endpoints []Endpoint) {
	fmt.Fprint(w, "Manifold is ready.\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range endpoints {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", e.Door, e.Address, e.Try)
	}
	table.Flush()
	fmt.Fprintln(w)
}

func (a *assembly) endpoints(doors []door, admin *adminDoor) []Endpoint {
	var all []Endpoint
	for _, d := range doors {
		host, port := reachable(d.addr())
		e := Endpoint{Door: d.name, Address: d.addr()}
		switch d.name {
		case "mqtt":
			e.Try = tryMQTT(a.config.AllTenants(), host, port)
		case "amqp":
			e.Try = tryAMQP(a.config.AllTenants(), host, port)
		case "stomp":
			e.Try = trySTOMP(a.config.AllTenants(), host, port)
		case "http":
			e.Try = tryHTTP(a.config.AllTenants(), host, port)
		case "coap":
			e.Try = tryCoAP(a.config.AllTenants(), host, port)
		}
		all = append(all, e)
	}
	if admin.listener != nil {
		host, port := reachable(admin.listener.Addr())
		try := "curl http://" + net.JoinHostPort(host, port) + "/metrics"
		all = append(all, Endpoint{"admin", admin.listener.Addr(), try})
	}
	return all
}

// reachable gives the host and port at which this machine reaches a listener.
func reachable(a net.Addr) (host, port string) {
	host, port, _ = net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return host, port
}

// tryMQTT publishes with mosquitto_pub, best to a topic.
func tryMQTT(tenants []config.Tenant, host, port string) string {
	t, a, ok := example(tenants, addressing.Topic, addressing.Broadcast, addressing.Queue)
	if !ok {
		return ""
	}
	user := ""
	if t.Name != tenancy.DefaultTenant {
		user = " -u me@" + t.Name
	}
	return fmt.Sprintf("mosquitto_pub -h %s -p %s%s -q 1 -t %s -m hello", host, port, user, quoted(a))
}

// tryAMQP sends with our own client, best to a queue.
func tryAMQP(tenants []config.Tenant, host, port string) string {
	t, a, ok := example(tenants, addressing.Queue, addressing.Topic, addressing.Broadcast)
	if !ok {
		return ""
	}
	user := ""
	if t.Name != tenancy.DefaultTenant {
		user = "me%40" + t.Name + ":-@"
	}
	return fmt.Sprintf("manifold send --url amqp://%s%s %s hello", user, net.JoinHostPort(host, port), quoted(a))
}

// trySTOMP sends with netcat, best to a queue.
func trySTOMP(tenants []config.Tenant, host, port string) string {
	t, a, ok := example(tenants, addressing.Queue, addressing.Topic, addressing.Broadcast)
	if !ok {
		return ""
	}
	frames := fmt.Sprintf(`CONNECT\naccept-version:1.2\nhost:%s\n\n\0SEND\ndestination:%s\nreceipt:1\n\nhello\0`,
		t.Name, strings.ReplaceAll(a, ":", `\\c`))
	return fmt.Sprintf("printf '%s' | nc -q1 %s %s", frames, host, port)
}

// tryHTTP posts with curl, best to a queue.
func tryHTTP(tenants []config.Tenant, host, port string) string {
	t, a, ok := example(tenants, addressing.Queue, addressing.Topic, addressing.Broadcast)
	if !ok {
		return ""
	}
	levels := strings.Split(a, "/")
	for i := range levels {
		levels[i] = url.PathEscape(levels[i])
	}
	return fmt.Sprintf("curl -d hello http://%s/v1/%s/%s/messages",
		net.JoinHostPort(host, port), t.Name, strings.Join(levels, "/"))
}

// tryCoAP posts with the client of libcoap, best to a topic.
func tryCoAP(tenants []config.Tenant, host, port string) string {
	t, a, ok := example(tenants, addressing.Topic, addressing.Queue, addressing.Broadcast)
	if !ok || t.Name != tenancy.DefaultTenant { // another one has a host name of its own
		return ""
	}
	levels := strings.Split(a, "/")
	for i := range levels {
		levels[i] = url.PathEscape(levels[i])
	}
	return fmt.Sprintf("coap-client -m post -e hello coap://%s/a/%s", net.JoinHostPort(host, port), strings.Join(levels, "/"))
}

// example picks an address of the first of these kinds that an anonymous tenant declares.
func example(tenants []config.Tenant, kinds ...addressing.Kind) (t config.Tenant, address string, ok bool) {
	for _, kind := range kinds {
		for _, t := range tenants {
			for _, a := range t.Addresses {
				if t.Anonymous && a.Kind == kind {
					return t, literal(a.Name), true
				}
			}
		}
	}
	return config.Tenant{}, "", false
}

// literal gives an address that a filter selects.
func literal(f addressing.Filter) string {
	if a, ok := f.Literal(); ok {
		return string(a)
	}
	levels := strings.Split(f.String(), "/")
	for i, level := range levels {
		if level == "*" || level == "#" {
			levels[i] = "example"
		}
	}
	return strings.Join(levels, "/")
}

// quoted protects a text from the shell where it needs that.
func quoted(s string) string {
	if s != "" && !strings.ContainsFunc(s, isSpecial) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// isSpecial tells whether a shell may take a character for something else than itself.
func isSpecial(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("/-_.", r)
}
