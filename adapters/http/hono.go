package http

import (
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Devices that speak the HTTP of Eclipse Hono (https://eclipse.dev/hono/docs/user-guide/http-adapter/) send telemetry and events
// and answer commands on paths of their own. The addresses are those of configs/hono.yaml: telemetry/DEVICE, event/DEVICE,
// command/DEVICE/req/ID/NAME and command/DEVICE/res/ID/STATUS.

// honoForm is a path that devices know.
type honoForm struct {
	kind    honoKind
	tenant  string // empty leaves it to the credentials
	device  string // empty is who they are of
	request string // that a command's answer is of
}

// honoKind is what a device does.
type honoKind uint8

const (
	honoTelemetry honoKind = iota + 1
	honoEvent
	honoAnswer
)

// honoNames are the first levels of addresses and of paths, which may be short.
var honoNames = map[string]honoKind{"telemetry": honoTelemetry, "t": honoTelemetry, "event": honoEvent, "e": honoEvent}

// honoMethods are what all of the paths take. Devices that name themselves use PUT, the others POST; either does.
const honoMethods = "OPTIONS, POST, PUT"

// The headers of requests and answers, most of which may be parameters of a request instead.
const (
	honoTTD     = "Hono-Ttd"        // seconds that the device waits for a command
	honoTTL     = "Hono-Ttl"        // seconds that an event lives
	honoQoS     = "Qos-Level"       // of telemetry: 0 or 1
	honoStatus  = "Hono-Cmd-Status" // of the answer to a command
	honoCommand = "Hono-Command"
	honoRequest = "Hono-Cmd-Req-Id"
	honoTarget  = "Hono-Cmd-Target-Device"
)

// parseHono takes a path apart that is still percent-encoded.
func parseHono(raw string) (form honoForm, ok bool) {
	levels := strings.Split(strings.TrimPrefix(raw, "/"), "/")
	for i, level := range levels {
		text, err := url.PathUnescape(level)
		if err != nil || i > 4 {
			return form, false
		}
		levels[i] = text
	}
	kind := honoNames[levels[0]]
	answers := len(levels) > 1 && levels[0] == "command" && levels[1] == "res"
	switch n := len(levels); {
	case kind != 0 && n == 1:
		return honoForm{kind: kind}, true
	case kind != 0 && n == 3:
		return honoForm{kind: kind, tenant: levels[1], device: levels[2]}, true
	case answers && n == 3:
		return honoForm{kind: honoAnswer, request: levels[2]}, true
	case answers && n == 5:
		return honoForm{kind: honoAnswer, tenant: levels[2], device: levels[3], request: levels[4]}, true
	}
	return form, false
}

// serveHono answers a device.
func (s *Server) serveHono(w nethttp.ResponseWriter, r *nethttp.Request, form honoForm) {
	switch {
	case r.Method == nethttp.MethodOptions:
		s.origins.options(w, r, honoMethods)
		return
	case r.Method != nethttp.MethodPost && r.Method != nethttp.MethodPut:
		s.refuseMethod(w, honoMethods)
		return
	}
	err := s.origins.check(r)
	var p *tenancy.Principal
	if err == nil {
		p, err = s.authenticateDevice(r, &form)
	}
	var report honoReport
	if err == nil {
		report, err = readReport(r, &form)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.takeReport(w, r, p, &report)
}

// authenticateDevice finds out who sends a request, and which device it is of. Where anybody is let in, devices are who they say.
func (s *Server) authenticateDevice(r *nethttp.Request, form *honoForm) (*tenancy.Principal, error) {
	c, err := readCredentials(r, form.tenant)
	if err != nil {
		return nil, err
	}
	p, err := s.admit(r.Context(), c)
	if err != nil {
		return nil, err
	}
	if form.device == "" {
		if form.device = p.User; form.device == "" {
			form.device, _ = tenancy.SplitUser(c.User)
		}
	}
	switch {
	case form.device == "":
		return nil, errCredentials()
	case strings.ContainsAny(form.device+form.request, "/*#+\\"):
		return nil, router.Errorf(router.Malformed, "the id of a device or command has none of / * # + \\ in it")
	}
	return p, nil
}

// honoReport is what a device sends.
type honoReport struct {
	form        *honoForm
	to          addressing.Address
	unconfirmed bool          // it asks for no outcome
	lives       string        // in seconds; empty for ever
	waits       time.Duration // for a command
	path        string        // that it was sent to
}

// readReport reads everything of a request but its message.
func readReport(r *nethttp.Request, form *honoForm) (report honoReport, err error) {
	report = honoReport{form: form, path: r.URL.Path}
	query := parseQuery(r.URL)
	switch form.kind {
	case honoTelemetry:
		report.to = addressing.Address("telemetry/" + form.device)
		report.unconfirmed = !query.headerChoice(r, honoQoS, "0", "1")
		report.waits = query.headerSeconds(r, honoTTD)
	case honoEvent:
		report.to = addressing.Address("event/" + form.device)
		report.lives = query.header(r, honoTTL)
		report.waits = query.headerSeconds(r, honoTTD)
	case honoAnswer:
		status := query.header(r, honoStatus)
		if n, err := strconv.Atoi(status); err != nil || n < 200 || n > 599 {
			return report, router.Errorf(router.Malformed, "header hono-cmd-status: want an integer from 200 to 599")
		}
		report.to = addressing.Address("command/" + form.device + "/res/" + form.request + "/" + status)
	}
	if err = query.err(); err != nil {
		return report, err
	}
	if _, err := addressing.ParseAddress(string(report.to)); err != nil {
		return report, router.Errorf(router.Malformed, "%v", err)
	}
	if r.Header.Get("Content-Type") == "" && form.kind != honoAnswer {
		return report, router.Errorf(router.Malformed, "header Content-Type: what the device sends has one")
	}
	return report, nil
}

// header reads what may stand in a header or in a parameter of the same name.
func (p *parameters) header(r *nethttp.Request, name string) string {
	value, ok := p.take(strings.ToLower(name))
	if !ok {
		value = r.Header.Get(name)
	}
	return value
}

// headerChoice reads one of two words and tells whether it is the second; without any it is the first.
func (p *parameters) headerChoice(r *nethttp.Request, name, first, second string) bool {
	value := p.header(r, name)
	if value != "" && value != first && value != second {
		p.fail(router.Errorf(router.Malformed, "header %s: want %s or %s", strings.ToLower(name), first, second))
	}
	return value == second
}

// headerSeconds reads whole seconds; without any there are none.
func (p *parameters) headerSeconds(r *nethttp.Request, name string) time.Duration {
	value := p.header(r, name)
	if value == "" {
		return 0
	}
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		p.fail(router.Errorf(router.Malformed, "header %s: want whole seconds", strings.ToLower(name)))
	}
	return time.Duration(seconds) * time.Second
}
