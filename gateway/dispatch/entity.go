package dispatch

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/gateway/internal/dispatchconf"
)

// entity is an entity that is being translated. What is asked for by its name is used; the rest will be remarked.
type entity struct {
	dispatchconf.Entity
	translator *translator
	used       map[string]bool
}

// formerNames are what attributes were called once, of all entities that have the new one; of autoLink also addr for address.
var formerNames = map[string]string{
	"dir": "direction", "externalAddr": "externalAddress", "certDb": "caCertFile", "keyFile": "privateKeyFile",
	"displayNameFile": "uidNameMappingFile", "failoverList": "failoverUrls", "timestamp": "includeTimestamp", "source": "includeSource",
	"output": "outputFile", "helloInterval": "helloIntervalSeconds", "helloMaxAge": "helloMaxAgeSeconds",
	"raInterval": "raIntervalSeconds", "raIntervalFlux": "raIntervalFluxSeconds", "remoteLsMaxAge": "remoteLsMaxAgeSeconds",
	"verifyHostName": "verifyHostname", "logMessage": "messageLoggingComponents", "debugDump": "debugDumpFile", "saslConfigPath": "saslConfigDir",
}

// configPrefix is what the names of types begin with that are about addresses.
var configPrefix = map[string]string{"address": "router.config.", "linkRoute": "router.config.", "autoLink": "router.config."}

// rename remarks what is called by a former name, and refuses what is there by both names.
func (e *entity) rename() error {
	for _, a := range e.Attributes {
		name, former := formerNames[a.Name]
		if e.Type == "autoLink" && a.Name == "addr" {
			name, former = "address", true
		}
		switch {
		case !former:
		case e.has(name):
			return refusal("org.apache.qpid.dispatch.%s%s: Both '%s' and '%s' cannot be specified for entity '%s'",
				configPrefix[e.Type], e.Type, a.Name, name, e.Type)
		default:
			e.translator.remark(a.Line, e.Type, a.Name,
				"Attribute '%s' of entity '%s' has been deprecated. Use '%s' instead", a.Name, e.Type, name)
		}
	}
	return nil
}

// has tells whether an attribute is there.
func (e *entity) has(name string) bool {
	_, ok := e.Attribute(name)
	return ok
}

// text gives the value of an attribute by the first of its names that is there; the others are what it was called once.
func (e *entity) text(names ...string) string {
	value := ""
	for _, name := range names {
		if e.has(name) && !e.used[name] {
			e.used[name] = true
			value = cmp.Or(value, e.Value(name))
		} else if e.has(name) {
			value = cmp.Or(value, e.Value(name))
		}
	}
	return value
}

// number gives the value of an attribute that is a whole number, or otherwise.
func (e *entity) number(otherwise int, names ...string) (int, error) {
	text := e.text(names...)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, refusal("Invalid value for %s: %q is not a whole number", names[0], text)
	}
	return n, nil
}

// seconds gives the value of an attribute that is a time in seconds, or otherwise.
func (e *entity) seconds(otherwise time.Duration, names ...string) (time.Duration, error) {
	n, err := e.number(int(otherwise/time.Second), names...)
	return time.Duration(n) * time.Second, err
}

// flag gives the value of an attribute that is yes or no, or otherwise.
func (e *entity) flag(otherwise bool, names ...string) (bool, error) {
	switch text := strings.ToLower(e.text(names...)); text {
	case "":
		return otherwise, nil
	case "yes", "true", "on", "1":
		return true, nil
	case "no", "false", "off", "0":
		return false, nil
	default:
		return false, refusal("Invalid Boolean value '%s'", text)
	}
}

// choice gives the value of an attribute that is one of several, or otherwise.
func (e *entity) choice(otherwise string, values []string, names ...string) (string, error) {
	text := cmp.Or(e.text(names...), otherwise)
	if text != "" && !slices.Contains(values, text) {
		return "", refusal("Invalid value for %s: %q is not one of %s", names[0], text, strings.Join(values, ", "))
	}
	return text, nil
}

// lacks remarks that an attribute, if it is there, has no counterpart, and why that matters or does not.
func (e *entity) lacks(name, why string) {
	if a, ok := e.Attribute(name); ok {
		e.used[name] = true
		e.translator.remark(a.Line, e.Type, name, "%s", why)
	}
}

// ignores is lacks for an attribute that only matters when it has another value than that of the router's default.
func (e *entity) ignores(name, harmless, why string) {
	if e.Value(name) == harmless {
		e.used[name] = true
	}
	if !e.used[name] {
		e.lacks(name, why)
	}
}

// line gives the line of an attribute, or that of the entity.
func (e *entity) line(name string) int {
	if a, ok := e.Attribute(name); ok {
		return a.Line
	}
	return e.Line
}

func sortRemarks(all []Remark) {
	slices.SortStableFunc(all, func(a, b Remark) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
}

// firstError gives the first that is one.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
