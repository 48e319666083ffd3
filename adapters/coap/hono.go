package coap

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// The forms of Eclipse Hono's CoAP adapter (https://eclipse.dev/hono/docs/user-guide/coap-adapter/). The addresses are those
// of configs/hono.yaml: telemetry/DEVICE, event/DEVICE, command/DEVICE/req/ID/NAME and command/DEVICE/res/ID/STATUS.

// device is a device of Hono as a path names it: by who it is, by tenant and name, or by the name that a gateway says.
type device struct {
	name   string
	prefix string // what stands between the endpoint and a command's id: "", "TENANT/DEVICE/" or "/DEVICE/"
	long   bool   // its endpoints are spelled out
}

// honoTenant gives the tenant that a path of Hono names; empty for none.
func honoTenant(path []byte) string {
	endpoint, rest, _ := bytes.Cut(path, []byte("/"))
	switch string(endpoint) {
	case "t", "telemetry", "e", "event", "cr", "command_response":
		if tenant, _, named := bytes.Cut(rest, []byte("/")); named {
			return string(tenant)
		}
	}
	return ""
}

// honoDevice reads which device a path is about. rest is what follows the endpoint, without the id of a command.
func (c *conn) honoDevice(r *request, rest string, named bool) (d device, err error) {
	if !named {
		if d.name = r.account.user.User; d.name == "" {
			return d, router.Errorf(router.Denied, "a device that has not shown who it is names its tenant and itself in the path")
		}
		return d, nil
	}
	_, name, ok := strings.Cut(rest, "/") // the tenant has been looked at with who sends
	if !ok || name == "" || strings.Contains(name, "/") {
		return d, router.Errorf(router.NotFound, "no such path; want TENANT/DEVICE behind the endpoint, or /DEVICE")
	}
	return device{name: name, prefix: rest + "/"}, nil
}

// atTelemetry answers requests to telemetry and event: what a device tells. One that says hono-ttd waits for a command.
func (c *conn) atTelemetry(now time.Time, r *request, endpoint, rest string, named bool) error {
	if r.code != codes.POST && r.code != codes.PUT {
		return errMethod
	}
	d, err := c.honoDevice(r, rest, named)
	if err != nil {
		return err
	}
	d.long = len(endpoint) > 1
	kind := "telemetry/"
	if endpoint == "e" || endpoint == "event" {
		kind = "event/"
	}
	s, err := c.sender(r.account, []byte(kind+d.name))
	if err != nil {
		return err
	}
	l, ttd, err := c.honoLetter(r, s)
	if err != nil {
		return err
	}
	k := task{exchange: r.exchange, success: empty(codes.Changed)}
	if ttd > 0 {
		if k.command, err = c.awaitCommand(r, &d, ttd); err != nil {
			return err
		}
	}
	if err = c.dispatchLetter(now, r, s, &l, k); err != nil && k.command != nil {
		k.command.end()
	}
	return err
}

// emptyNotification is the content type of a message that only says that a device is there.
const emptyNotification = "application/vnd.eclipse-hono-empty-notification"

// honoLetter reads the message of a device, and how long that waits for a command. What it does not know it passes over,
// as Hono does.
func (c *conn) honoLetter(r *request, to *sender) (l letter, ttd time.Duration, err error) {
	q := &r.query
	ttd = q.seconds("hono-ttd", 0, 0, c.server.limits.MaxPoll, "coap.maxPoll")
	isEmpty := q.flag("empty", false)
	if q.failed != nil {
		return l, 0, q.failed
	}
	q.list = nil
	if err := l.read(r, to.link); err != nil {
		return l, 0, err
	}
	switch typed := &l.properties.ContentType; {
	case isEmpty && len(r.body) > 0:
		return l, 0, router.Errorf(router.Malformed, "query empty: the message has a body")
	case isEmpty:
		*typed = emptyNotification
	case len(r.body) == 0 && r.format == noFormat:
		return l, 0, router.Errorf(router.Malformed, "an empty body needs a Content-Format, or the query empty")
	case *typed == "":
		*typed = "application/octet-stream"
	}
	if ttd > 0 { // so that an application knows for how long a command would find the device
		l.pairs = append(l.pairs, parameter{"ttd", strconv.Itoa(int(ttd / time.Second))})
	}
	return l, ttd, nil
}

// awaitCommand links a device to its commands before its message is sent, so that who hears of it may answer at once. It
// is nil where no commands are declared.
func (c *conn) awaitCommand(r *request, d *device, ttd time.Duration) (*pull, error) {
	literal, err := parseAddress("command/" + d.name + "/req")
	if err != nil {
		return nil, err
	}
	filter, err := addressing.ParseFilter(literal.Filter().String() + "/#")
	if err != nil {
		return nil, router.Errorf(router.Malformed, "the path: %v", err)
	}
	p := &pull{conn: c, exchange: r.exchange, accept: r.accept, device: d, wait: ttd}
	switch err := p.open(r.account, router.Source{Filter: filter, Kind: addressing.Anycast}); {
	case router.ReasonOf(err) == router.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return p, nil
}

// framing says which command a message is, and where its answer goes: one that wants none has no id.
func (d *device) framing(m *router.Delivery, subject string) framing {
	rest, _ := strings.CutPrefix(string(m.To), "command/"+d.name+"/req/")
	id, name, ok := strings.Cut(rest, "/")
	if !ok || name == "" || len(rest) == len(m.To) { // the address says no more than the device
		id, name = "", subject
	}
	endpoint, reply := "c", "cr"
	if d.long {
		endpoint, reply = "command", "command_response"
	}
	f := framing{queries: []string{"hono-command=" + name}}
	switch {
	case id != "":
		f.location = reply + "/" + d.prefix + id
	case d.prefix != "":
		f.location = endpoint + "/" + strings.TrimSuffix(d.prefix, "/")
	default:
		f.location = endpoint
	}
	return f
}

// atCommandResponse answers requests to command_response/ID: what came of a command.
func (c *conn) atCommandResponse(now time.Time, r *request, rest string) error {
	if r.code != codes.POST && r.code != codes.PUT {
		return errMethod
	}
	id, named := rest, false
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		rest, id, named = rest[:i], rest[i+1:], true
	}
	d, err := c.honoDevice(r, rest, named)
	if err != nil {
		return err
	}
	status, _ := r.query.take("hono-cmd-status")
	if n, err := strconv.Atoi(status); err != nil || n < 200 || n > 599 || id == "" {
		return router.Errorf(router.Malformed, "want the id of a command in the path, and hono-cmd-status from 200 to 599")
	}
	s, err := c.sender(r.account, []byte("command/"+d.name+"/res/"+id+"/"+status))
	if err != nil {
		return err
	}
	r.query.list = nil
	l := letter{properties: amqp.Properties{CorrelationID: id}}
	if err := l.read(r, s.link); err != nil {
		return err
	}
	return c.dispatchLetter(now, r, s, &l, task{exchange: r.exchange, success: session.Response{Code: codes.Changed}})
}
