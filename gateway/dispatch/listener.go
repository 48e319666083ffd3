package dispatch

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
)

// roles are what a connection may be for.
var roles = []string{"normal", "inter-router", "route-container", "edge"}

// role reads what a connection is for, and refuses what does not fit the mode of the router.
func (t *translator) role(e *entity) (string, error) {
	role, err := e.choice("normal", roles, "role")
	if err != nil {
		return "", err
	}
	between := role == "inter-router" || role == "edge"
	switch {
	case t.mode == "standalone" && between:
		return "", refusal("role='standalone' not allowed to connect to or accept connections from other routers.")
	case t.mode != "interior" && role == "inter-router",
		t.mode != "interior" && role == "edge" && e.Type == "listener":
		return "", refusal("role='%s' only allowed with router mode='interior' for %s.", role, e.Type)
	}
	return role, nil
}

// portOf reads a port: a number, or the name of a service.
func portOf(text string) (int, error) {
	switch text {
	case "", "amqp":
		return 5672, nil
	case "amqps":
		return 5671, nil
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n, nil
	}
	n, err := net.LookupPort("tcp", text)
	if err != nil {
		return 0, refusal("Invalid value for port: %q is neither a number nor a service", text)
	}
	return n, nil
}

// listener translates a port that is listened at.
func (t *translator) listener(e *entity) error {
	l := config.AMQPListener{Host: e.text("host", "addr")}
	role, err := t.role(e)
	if err != nil {
		return err
	}
	if role != "normal" {
		l.Role = role
	}
	if l.Host == "" {
		l.Host = "::" // which is IPv4 too
	}
	if l.Port, err = portOf(e.text("port")); err != nil {
		return err
	}
	l.Name = t.listenerName(e.text("name"), l.Role)
	l.Mechanisms = strings.Fields(strings.ReplaceAll(e.text("saslMechanisms"), ",", " "))
	cost, err1 := e.number(1, "cost")
	frame, err2 := e.number(16384, "maxFrameSize")
	l.MaxSessions, err = t.sessions(e)
	idle, err3 := e.seconds(16*time.Second, "idleTimeoutSeconds")
	handshake, err4 := e.seconds(0, "initialHandshakeTimeoutSeconds")
	capacity, err5 := e.number(0, "linkCapacity")
	strip, err6 := e.choice("both", []string{"in", "out", "both", "no"}, "stripAnnotations")
	if err := firstError(err, err1, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	if cost != 1 {
		l.Cost = cost
	}
	l.MaxFrameSize, l.IdleTimeout, l.HandshakeTimeout, l.LinkCredit = config.Size(max(frame, 512)), idle, handshake, capacity
	l.Annotations = map[string]string{"in": config.StripAnnotationsIn, "out": config.StripAnnotationsOut, "no": config.KeepAnnotations}[strip]
	if err := t.security(e, &l); err != nil {
		return err
	}
	e.ignores("socketAddressFamily", "", "the host decides it")
	e.used["protocolFamily"] = true // the host decides it
	e.used["socketAddressFamily"] = true
	e.lacks("maxSessionFrames", "amqp.incomingWindow is that of all listeners")
	e.lacks("messageLoggingComponents", "what is in messages is never logged; tracing follows them")
	e.lacks("logMessage", "what is in messages is never logged; tracing follows them")
	for text := range strings.SplitSeq(e.text("failoverUrls", "failoverList"), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if _, err := config.ParseAlternative(text); err != nil {
			return refusal("Unable to create listener, bad failover list: %v", err)
		}
		l.Failover = append(l.Failover, text)
	}
	if l.OpenProperties, err = t.openProperties(e, role); err != nil {
		return err
	}
	return t.place(e, l)
}

// maxSessions is the most sessions of a connection that the router knows, and what it has for none.
const maxSessions = 32768

// sessions reads how many sessions a connection may have.
func (t *translator) sessions(e *entity) (int, error) {
	n, err := e.number(0, "maxSessions")
	if n <= 0 || n > maxSessions {
		n = maxSessions
	}
	return n, err
}

// place puts a listener to the others.
func (t *translator) place(e *entity, l config.AMQPListener) error {
	multiTenant, err1 := e.flag(false, "multiTenant")
	web, err2 := e.flag(false, "http")
	authenticate, err3 := e.flag(false, "authenticatePeer")
	if err := firstError(err1, err2, err3); err != nil {
		return err
	}
	l.MultiTenant, l.VirtualHost = multiTenant, e.text("policyVhost")
	if l.Web, err1 = t.web(e, web); err1 != nil {
		return err1
	}
	if l.Web.Enabled && l.TLS && authenticate { // over HTTPS who comes in shows it there
		l.ClientAuth = "required"
	}
	t.out.Config.AMQP.Listeners = append(t.out.Config.AMQP.Listeners, l)
	return nil
}

// web translates what a listener shows that speaks HTTP.
func (t *translator) web(e *entity, speaks bool) (w config.WebListener, err error) {
	files := e.text("httpRootDir", "httpRoot")
	sockets, err1 := e.flag(true, "websockets")
	health, err2 := e.flag(true, "healthz")
	metrics, err3 := e.flag(true, "metrics")
	if err := firstError(err1, err2, err3); err != nil || !speaks && files == "" {
		return w, err
	}
	return config.WebListener{Enabled: true, WebSockets: sockets, Health: health, Metrics: metrics, Files: files}, nil
}

// listenerName gives a listener a name that no other one has.
func (t *translator) listenerName(name, role string) string {
	name = label(name)
	if name == "" {
		name = label(role)
	}
	if name == "" {
		name = "normal"
	}
	taken := func(name string) bool {
		for _, l := range t.out.Config.AMQP.Listeners {
			if l.Name == name {
				return true
			}
		}
		return false
	}
	for unique, i := name, 2; ; i++ {
		if !taken(unique) {
			return unique
		}
		unique = fmt.Sprintf("%s-%d", name, i)
	}
}

// label gives of a text what a name may have: letters, digits, hyphens, dots and underscores.
func label(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, text)
	return text[:min(len(text), 60)]
}
