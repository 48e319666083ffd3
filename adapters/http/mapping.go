package http

import (
	"math"
	nethttp "net/http"
	"strconv"
	"strings"

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
	headerDelay         = "Manifold-Delay"
	headerPriority      = "Manifold-Priority"
	headerRetain        = "Manifold-Retain"
	headerProperty      = "Manifold-Property"

	headerAddress     = "Manifold-Address" // the rest are only in answers
	headerRetained    = "Manifold-Retained"
	headerAttempts    = "Manifold-Attempts"
	headerLockToken   = "Manifold-Lock-Token"
	headerLockExpires = "Manifold-Lock-Expires"

	headerIdempotencyKey = "Idempotency-Key"
)

// maxPriority is the highest priority that a client may give.
const maxPriority = 9

// readLetter reads the headers of a request that sends to an address. The error is a *router.Error that names the
// header; a header of ours that it does not know is one, so that a misspelt one is not lost silently.
func readLetter(h nethttp.Header, to addressing.Address) (*letter, error) {
	l := newLetter(to)
	for name, values := range h {
		if err := l.readHeader(name, values); err != nil {
			return nil, err
		}
	}
	if err := l.readEvent(h); err != nil {
		return nil, err
	}
	l.readTrace(h)
	return l, l.readKey(h.Values(headerIdempotencyKey), "")
}

// readHeader reads a header that says something about the message.
func (l *letter) readHeader(name string, values []string) (err error) {
	ours := strings.HasPrefix(name, headerPrefix)
	switch {
	case !ours && name != "Content-Type" && name != "Content-Encoding":
		return nil
	case name == headerProperty:
		pairs, err := readPairs(values)
		l.pairs = append(l.pairs, pairs...)
		return err
	case len(values) != 1:
		return givenTwice(name, values)
	case ours:
		return l.readField(name, values[0])
	default:
		return l.readContent(name, values[0])
	}
}

func givenTwice(name string, values []string) error {
	return router.Errorf(router.Malformed, "header %s: given %d times", name, len(values))
}

// readKey reads Idempotency-Key, a string that is quoted as HTTP's structured fields are, or bare. It stands for the
// message-id, by which a queue with a dedupWindow knows a message that is sent again. part tells apart the messages
// of one request.
func (l *letter) readKey(values []string, part string) error {
	if len(values) == 0 {
		return nil
	}
	key := values[0]
	if quoted, ok := strings.CutPrefix(key, `"`); ok {
		if key, ok = strings.CutSuffix(quoted, `"`); !ok || strings.ContainsAny(key, `"\`) {
			return router.Errorf(router.Malformed, "header %s: a quote or backslash is out of place", headerIdempotencyKey)
		}
	}
	switch {
	case len(values) > 1:
		return givenTwice(headerIdempotencyKey, values)
	case l.properties.MessageID != nil:
		return router.Errorf(router.Malformed,
			"header %s: the message has an id already, which serves the same end", headerIdempotencyKey)
	}
	var err error
	key, err = unescapeText(headerIdempotencyKey, key)
	if key == "" && err == nil {
		err = router.Errorf(router.Malformed, "header %s: it is empty", headerIdempotencyKey)
	}
	l.properties.MessageID = key + part
	return err
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
		l.ttl, err = readSeconds("header "+name, value)
	case headerDelay:
		l.delay, err = readSeconds("header "+name, value)
	case headerPriority:
		l.priority, err = readPriority(value)
	case headerRetain:
		l.retain, err = readFlag(name, value)
	default:
		err = router.Errorf(router.Malformed, "header %s: a request has no such header; see docs/http.md", name)
	}
	return err
}

// readContent reads what HTTP itself says about the body.
func (l *letter) readContent(name, value string) (err error) {
	if name == "Content-Type" {
		l.properties.ContentType, err = readSymbol("header ", name, value)
	} else {
		l.properties.ContentEncoding, err = readSymbol("header ", name, value)
	}
	return err
}

// readSymbol checks what is a symbol in AMQP, which is ASCII [1.6.21]. what and name tell where it stands.
func readSymbol(what, name, value string) (string, error) {
	for i := range len(value) {
		if value[i] >= 0x80 {
			return "", router.Errorf(router.Malformed, "%s%s: not ASCII", what, name)
		}
	}
	return value, nil
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

// readSeconds reads seconds, which may have a fraction, as milliseconds.
func readSeconds(name, value string) (uint32, error) {
	seconds, err := strconv.ParseFloat(value, 64)
	ms := math.Round(seconds * 1000)
	if err != nil || !(ms >= 1 && ms <= math.MaxUint32) {
		return 0, router.Errorf(router.Malformed, "%s: want seconds from 0.001 to 4294967.295", name)
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
