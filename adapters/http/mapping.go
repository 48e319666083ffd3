package http

import (
	"math"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// The headers of a message, in the canonical spelling of net/http. docs/http.md has the table.
const (
	headerPrefix = "Manifold-"

	headerMessageID     = "Manifold-Message-Id"
	headerCorrelationID = "Manifold-Correlation-Id"
	headerReplyTo       = "Manifold-Reply-To"
	headerSubject       = "Manifold-Subject"
	headerGroupID       = "Manifold-Group-Id"
	headerTTL           = "Manifold-Ttl"
	headerPriority      = "Manifold-Priority"
	headerRetain        = "Manifold-Retain"
	headerProperty      = "Manifold-Property"

	headerAddress     = "Manifold-Address" // the rest are only in answers
	headerRetained    = "Manifold-Retained"
	headerAttempts    = "Manifold-Attempts"
	headerLockToken   = "Manifold-Lock-Token"
	headerLockExpires = "Manifold-Lock-Expires"
)

// maxPriority is the highest priority that a client may give.
const maxPriority = 9

// letter is a message as a request carries it.
type letter struct {
	properties amqp.Properties
	ttl        uint32 // milliseconds, 0 for ever
	priority   uint8
	retain     bool
	pairs      []pair
}

// pair is one user property.
type pair struct{ name, value string }

// readLetter reads the headers of a request that sends to an address. The error is a *router.Error that names the
// header; a header of ours that it does not know is one, so that a misspelt one is not lost silently.
func readLetter(h nethttp.Header, to addressing.Address) (letter, error) {
	l := letter{priority: amqp.DefaultPriority, properties: amqp.Properties{To: string(to)}}
	for name, values := range h {
		ours := strings.HasPrefix(name, headerPrefix)
		if !ours && name != "Content-Type" && name != "Content-Encoding" {
			continue
		}
		var err error
		switch {
		case name == headerProperty:
			l.pairs, err = readPairs(values)
		case len(values) != 1:
			err = router.Errorf(router.Malformed, "header %s: given %d times", name, len(values))
		case ours:
			err = l.readField(name, values[0])
		default:
			err = l.readContent(name, values[0])
		}
		if err != nil {
			return letter{}, err
		}
	}
	return l, nil
}

// readField reads one of our headers.
func (l *letter) readField(name, value string) (err error) {
	switch p := &l.properties; name {
	case headerMessageID:
		p.MessageID, err = readID(name, value)
	case headerCorrelationID:
		p.CorrelationID, err = readID(name, value)
	case headerReplyTo:
		p.ReplyTo, err = unescapeText(name, value)
	case headerSubject:
		p.Subject, err = unescapeText(name, value)
	case headerGroupID:
		p.GroupID, err = unescapeText(name, value)
	case headerTTL:
		l.ttl, err = readTTL(value)
	case headerPriority:
		l.priority, err = readPriority(value)
	case headerRetain:
		l.retain, err = readFlag(name, value)
	default:
		err = router.Errorf(router.Malformed, "header %s: a request has no such header; see docs/http.md", name)
	}
	return err
}

// readContent reads what HTTP itself says about the body. Both are symbols in AMQP, which are ASCII.
func (l *letter) readContent(name, value string) error {
	for i := range len(value) {
		if value[i] >= 0x80 {
			return router.Errorf(router.Malformed, "header %s: not ASCII", name)
		}
	}
	if name == "Content-Type" {
		l.properties.ContentType = value
	} else {
		l.properties.ContentEncoding = value
	}
	return nil
}

func readID(name, value string) (any, error) {
	text, err := unescapeText(name, value)
	if err != nil {
		return nil, err
	}
	id, err := amqp.ParseID(text)
	if err != nil {
		return nil, router.Errorf(router.Malformed, "header %s: %v", name, err)
	}
	return id, nil
}

// readTTL reads seconds, which may have a fraction, as milliseconds.
func readTTL(value string) (uint32, error) {
	seconds, err := strconv.ParseFloat(value, 64)
	ms := math.Round(seconds * 1000)
	if err != nil || !(ms >= 1 && ms <= math.MaxUint32) {
		return 0, router.Errorf(router.Malformed, "header %s: want seconds from 0.001 to 4294967.295", headerTTL)
	}
	return uint32(ms), nil
}

func readPriority(value string) (uint8, error) {
	n, err := strconv.ParseUint(value, 10, 8)
	if err != nil || n > maxPriority {
		return 0, router.Errorf(router.Malformed, "header %s: want an integer from 0 to %d", headerPriority, maxPriority)
	}
	return uint8(n), nil
}

func readFlag(name, value string) (bool, error) {
	switch value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, router.Errorf(router.Malformed, "header %s: want true or false", name)
}

// readPairs reads the user properties of all lines of the header. Proxies may join lines with commas (RFC 9110 section
// 5.3), so a comma always separates.
func readPairs(lines []string) ([]pair, error) {
	var pairs []pair
	seen := make(map[string]bool)
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			name, value, ok := strings.Cut(strings.Trim(item, " \t"), "=")
			if !ok {
				return nil, router.Errorf(router.Malformed,
					"header %s: want name=value; write ',' in either as %%2C", headerProperty)
			}
			name, err := unescapeText(headerProperty, name)
			if err != nil {
				return nil, err
			}
			if value, err = unescapeText(headerProperty, value); err != nil {
				return nil, err
			}
			if seen[name] {
				return nil, router.Errorf(router.Malformed, "header %s: %q is given twice", headerProperty, name)
			}
			seen[name] = true
			pairs = append(pairs, pair{name, value})
		}
	}
	return pairs, nil
}

// delivery encodes the letter with its body. settled is whether its sender wants no acknowledgement: only a message
// that somebody waits for is marked durable. The body is copied.
func (l *letter) delivery(body []byte, settled bool, now time.Time) (router.Delivery, error) {
	const overhead = 128 // more than what encloses the texts of a letter without properties
	size := overhead + len(body) + len(l.properties.To) + len(l.properties.Subject) + len(l.properties.ContentType)
	for _, p := range l.pairs {
		size += len(p.name) + len(p.value) + 10
	}
	header := amqp.Header{Durable: !settled, Priority: l.priority, TTL: l.ttl}
	b := make([]byte, 0, size)
	if header != (amqp.Header{Priority: amqp.DefaultPriority}) {
		b = header.Append(b)
	}
	b = l.properties.Append(b)
	if len(l.pairs) > 0 {
		properties := amqp.BeginApplicationProperties(b)
		for _, p := range l.pairs {
			properties.String(p.name, p.value)
		}
		b = properties.End()
	}
	m, err := amqp.ParseMessage(amqp.AppendData(b, body))
	if err != nil {
		return router.Delivery{}, err
	}
	d := router.Delivery{Message: m, Settled: settled, Retain: l.retain}
	if l.ttl > 0 {
		d.Expires = now.UnixMilli() + int64(l.ttl)
	}
	return d, nil
}
