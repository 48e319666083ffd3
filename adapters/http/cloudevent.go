package http

import (
	nethttp "net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router"
)

// A CloudEvent in binary mode has an attribute in each header (HTTP protocol binding 1.0.2, section 3.1.3), which in
// AMQP is an application property (AMQP protocol binding 1.0.2, section 3.1.3.1). Newer clients of AMQP write its
// prefix with an underscore, as not all of them can name a property with a colon.
const (
	headerEvent        = "Ce-" // in net/http's canonical spelling
	propertyEvent      = "cloudEvents:"
	propertyEventOther = "cloudEvents_"
)

// required are the attributes that every event has (CloudEvents 1.0.2, "Required Attributes").
var required = []string{"Id", "Source", "Specversion", "Type"}

// readEvent reads the attributes of a CloudEvent, if there are any. In structured mode the body repeats them all
// (section 3.2.3), so they need not be complete.
func (l *letter) readEvent(h nethttp.Header) error {
	found := false
	for name, values := range h {
		attribute, ok := strings.CutPrefix(name, headerEvent)
		if !ok {
			continue
		}
		found = true
		if len(values) != 1 {
			return givenTwice(name, values)
		}
		attribute = strings.ToLower(attribute)
		if !isAttribute(attribute) || attribute == "datacontenttype" {
			return router.Errorf(router.Malformed, "header %s: not a CloudEvents attribute; datacontenttype is Content-Type", name)
		}
		value, err := unescapeAttribute(name, values[0])
		if err != nil {
			return err
		}
		l.pairs = append(l.pairs, pair{propertyEvent + attribute, value})
	}
	if !found || strings.HasPrefix(l.properties.ContentType, "application/cloudevents") {
		return nil
	}
	for _, name := range required {
		if h.Get(headerEvent+name) == "" {
			return router.Errorf(router.Malformed, "header %s%s: a CloudEvent needs it", headerEvent, name)
		}
	}
	return nil
}

// isAttribute tells whether a name is made of lower-case letters and digits (CloudEvents 1.0.2, "Naming Conventions").
func isAttribute(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// unescapeAttribute takes off the quotes that older clients write, then one round of percent-encoding (section 3.1.3.2).
func unescapeAttribute(name, value string) (string, error) {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = unquote(value[1 : len(value)-1])
	}
	text, err := url.PathUnescape(value)
	if err != nil || !utf8.ValidString(text) {
		return "", router.Errorf(router.Malformed, "header %s: not percent-encoded UTF-8", name)
	}
	return text, nil
}

// unquote takes the backslashes out of a quoted string (RFC 9110 section 5.6.4).
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// eventHeader gives the header of a property that is an attribute of a CloudEvent.
func eventHeader(property string) (name string, ok bool) {
	attribute, ok := strings.CutPrefix(property, propertyEvent)
	if !ok {
		attribute, ok = strings.CutPrefix(property, propertyEventOther)
	}
	if !ok || !isAttribute(attribute) {
		return "", false
	}
	return nethttp.CanonicalHeaderKey(headerEvent + attribute), true
}

// inAttribute tells what a header may show of an attribute's value (section 3.1.3.2).
func inAttribute(c byte) bool { return c > ' ' && c < 0x7F && c != '%' && c != '"' }
