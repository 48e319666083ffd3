package dispatch

import (
	"fmt"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/dispatchconf"
	"github.com/manifoldmq/manifold/gateway/modulelog"
	"github.com/manifoldmq/manifold/tenancy"
)

// Translation is what a file comes to.
type Translation struct {
	Config  config.Config        // valid
	Remarks []Remark             // in the order of the file
	Logs    []modulelog.Settings // what goes where
	Time    TimeFormat           // of the lines in them
	Workers int                  // threads that work at once, at most; below 1 is as many as there are processors
}

// Remark says what of a file has no counterpart.
type Remark struct {
	File      string
	Line      int
	Entity    string // its type
	Attribute string // none for the whole entity
	Text      string
}

// String gives a remark as a line for a person.
func (r Remark) String() string {
	what := r.Entity
	if r.Attribute != "" {
		what += "." + r.Attribute
	}
	return fmt.Sprintf("%s:%d: %s: %s", r.File, r.Line, what, r.Text)
}

// Error is a file that the router would not start with.
type Error struct {
	File string
	Line int // 0 where it is not known
	Text string
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// refusal refuses something in the words of the router.
func refusal(format string, args ...any) error { return &Error{Text: fmt.Sprintf(format, args...)} }

// Translate translates the text of the file named file. The error is an *Error, with
// which the remarks are those made so far.
func Translate(file string, text []byte) (Translation, error) {
	entities, err := dispatchconf.Parse(string(text))
	if err != nil {
		return Translation{}, &Error{File: file, Text: err.Error()}
	}
	t := newTranslator(file)
	for _, step := range steps {
		for _, e := range entities {
			if translate, ok := step[e.Type]; ok {
				if err := t.entity(e, translate); err != nil {
					return Translation{Remarks: t.out.Remarks}, err
				}
			}
		}
	}
	for _, e := range entities {
		if !isKnown(e.Type) {
			t.remark(e.Line, e.Type, "", "there is nothing like it")
		}
	}
	return t.finish()
}

// steps are the types of entities that are translated one after the other, since what comes later refers to what comes first.
var steps = []map[string]func(*translator, *entity) error{
	{"router": (*translator).router},
	{"sslProfile": (*translator).sslProfile},
	{"log": (*translator).log, "listener": (*translator).listener, "connector": (*translator).connector},
	{"address": (*translator).address, "autoLink": (*translator).autoLink, "linkRoute": (*translator).linkRoute},
	{"policy": (*translator).policy, "vhost": (*translator).vhost},
}

func isKnown(entityType string) bool {
	for _, step := range steps {
		if _, ok := step[entityType]; ok {
			return true
		}
	}
	return false
}

// translator is a file on its way.
type translator struct {
	file     string
	out      Translation
	mode     string
	profiles map[string]profile // by the names of the entities sslProfile
	tenant   config.Tenant      // the one that a router without tenants has
	rules    rules

	authorities []profile // whose certificates clients show

	distribution string // of addresses that are not declared
	autoLinks    []pendingLink
	linkRoutes   []pendingRoute
}

func newTranslator(file string) *translator {
	t := &translator{file: file, mode: "standalone", profiles: make(map[string]profile)}
	c := config.Default()
	c.MQTT.Enabled, c.STOMP.Enabled, c.CoAP.Enabled, c.HTTP.Enabled, c.Admin.Enabled = false, false, false, false, false
	c.Limits.LinkCredit = defaultLinkCapacity
	c.Limits.MaxMessageSize = maxMessageSize
	c.AMQP.MaxMessageSize, c.Network.MaxMessageSize = maxMessageSize, maxMessageSize
	c.AMQP.Manner = config.DispatchManner
	c.AMQP.MaxLinks, c.AMQP.HandleMax, c.AMQP.MaxKept = maxLinks, maxHandle, maxKept
	c.Network.Reconnect.Max = longestPause
	t.out.Config = c
	t.tenant = config.Tenant{Name: tenancy.DefaultTenant, Anonymous: true}
	return t
}

// What a router does unless it is told something else.
const (
	defaultLinkCapacity = 250
	maxMessageSize      = 256 << 20 // it has no bound; this is our highest
	maxLinks            = 64 << 10  // of a connection; it has no bound
	longestPause        = 5 * time.Second
	maxHandle           = 1<<16 - 1 // of a session; likewise
	maxKept             = 64 << 20  // of what a client says of so many
)

// entity translates one entity, and remarks what was not asked for.
func (t *translator) entity(of dispatchconf.Entity, translate func(*translator, *entity) error) error {
	e := &entity{Entity: of, translator: t, used: make(map[string]bool)}
	err := e.rename()
	if err == nil {
		err = translate(t, e)
	}
	if err != nil {
		return &Error{File: t.file, Line: e.Line, Text: err.Error()}
	}
	for _, a := range e.Attributes {
		if !e.used[a.Name] {
			e.used[a.Name] = true
			t.remark(a.Line, e.Type, a.Name, "has no counterpart")
		}
	}
	return nil
}

func (t *translator) remark(line int, entity, attribute, format string, args ...any) {
	t.out.Remarks = append(t.out.Remarks, Remark{t.file, line, entity, attribute, fmt.Sprintf(format, args...)})
}

// finish puts together what the entities came to.
func (t *translator) finish() (Translation, error) {
	t.defaultDistribution()
	t.placeAutoLinks()
	if err := t.applyPolicy(); err != nil {
		return Translation{Remarks: t.out.Remarks}, &Error{File: t.file, Text: err.Error()}
	}
	t.placeAuthorities()
	sortRemarks(t.out.Remarks)
	t.out.Config.Tenants = []config.Tenant{t.tenant}
	if err := t.out.Config.Validate(); err != nil {
		return Translation{Remarks: t.out.Remarks}, &Error{File: t.file, Text: err.Error()}
	}
	return t.out, nil
}
