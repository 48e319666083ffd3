package coap

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/selector"
)

// parameters are what the Uri-Query options of a request say, one name=value each (RFC 7252 section 6.4). The first
// mistake stays; err tells it, or that a parameter was never asked for.
type parameters struct {
	list   []parameter
	failed error
}

type parameter struct{ name, value string }

// add reads one option.
func (p *parameters) add(option []byte) {
	if !utf8.Valid(option) {
		p.fail(router.Errorf(router.Malformed, "a query is not UTF-8"))
	}
	name, value, _ := strings.Cut(string(option), "=")
	p.list = append(p.list, parameter{name, value})
}

// next gives the next of those with a name, and forgets it.
func (p *parameters) next(name string) (value string, ok bool) {
	for i, q := range p.list {
		if q.name == name {
			p.list = append(p.list[:i], p.list[i+1:]...)
			return q.value, true
		}
	}
	return "", false
}

// take gives a parameter that may occur once.
func (p *parameters) take(name string) (value string, ok bool) {
	if len(p.list) == 0 {
		return "", false
	}
	value, ok = p.next(name)
	if _, again := p.next(name); again {
		p.fail(router.Errorf(router.Malformed, "query %s: given twice", name))
	}
	return value, ok
}

// flag reads true or false. A name without a value is true.
func (p *parameters) flag(name string, byDefault bool) bool {
	value, ok := p.take(name)
	switch {
	case !ok:
		return byDefault
	case value == "true" || value == "":
		return true
	case value != "false":
		p.fail(router.Errorf(router.Malformed, "query %s: want true or false", name))
	}
	return false
}

// seconds reads a duration, which may have a fraction; setting is what decides the most.
func (p *parameters) seconds(name string, byDefault, least, most time.Duration, setting string) time.Duration {
	value, ok := p.take(name)
	if !ok {
		return byDefault
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || !(seconds >= least.Seconds() && seconds <= most.Seconds()) {
		p.fail(router.Errorf(router.Malformed, "query %s: want seconds from %v to %v (%s)",
			name, least.Seconds(), most.Seconds(), setting))
		return byDefault
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

// selector reads a selector; nil without one.
func (p *parameters) selector(name string) *selector.Selector {
	text, ok := p.take(name)
	if !ok {
		return nil
	}
	s, err := selector.Parse(text)
	if err != nil {
		p.fail(router.Errorf(router.Malformed, "query %s: %v", name, err))
	}
	return s
}

func (p *parameters) fail(err error) {
	if p.failed == nil {
		p.failed = err
	}
}

// err gives the first mistake. A parameter that nobody took is one: it is probably misspelt.
func (p *parameters) err() error {
	if p.failed == nil && len(p.list) > 0 {
		return router.Errorf(router.Malformed, "query %.40q: there is none of this name here", p.list[0].name)
	}
	return p.failed
}
