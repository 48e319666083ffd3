package http

import (
	"math"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router"
)

// parameters reads a request's query. Its first mistake stays; err tells it, or that a parameter was never asked for.
type parameters struct {
	values url.Values
	failed error
}

func parseQuery(u *url.URL) *parameters {
	if u.RawQuery == "" {
		return new(parameters)
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return &parameters{failed: router.Errorf(router.Malformed, "the query is not percent-encoded: %v", err)}
	}
	return &parameters{values: values}
}

// take gives a parameter that may occur once.
func (p *parameters) take(name string) (value string, ok bool) {
	values, ok := p.values[name]
	if !ok {
		return "", false
	}
	delete(p.values, name)
	if len(values) > 1 {
		p.fail(router.Errorf(router.Malformed, "parameter %s: given %d times", name, len(values)))
	}
	return values[0], true
}

// seconds reads a duration, which may have a fraction; setting is what decides the most.
func (p *parameters) seconds(name string, byDefault, least, most time.Duration, setting string) time.Duration {
	value, ok := p.take(name)
	if !ok {
		return byDefault
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || !(seconds >= least.Seconds() && seconds <= most.Seconds()) {
		p.fail(router.Errorf(router.Malformed, "parameter %s: want seconds from %v to %v (%s)",
			name, least.Seconds(), most.Seconds(), setting))
		return byDefault
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

// integer reads a number; setting is what decides the most.
func (p *parameters) integer(name string, byDefault, least, most int, setting string) int {
	value, ok := p.take(name)
	if !ok {
		return byDefault
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		p.fail(router.Errorf(router.Malformed, "parameter %s: want an integer from %d to %d (%s)", name, least, most, setting))
		return byDefault
	}
	return n
}

// choice reads one of two words and tells whether it is the second; without the parameter it is byDefault.
func (p *parameters) choice(name, first, second, byDefault string) bool {
	value, ok := p.take(name)
	if !ok {
		value = byDefault
	}
	if value != first && value != second {
		p.fail(router.Errorf(router.Malformed, "parameter %s: want %s or %s", name, first, second))
	}
	return value == second
}

// text reads a text of limited length.
func (p *parameters) text(name, byDefault string, most int) string {
	value, ok := p.take(name)
	if !ok {
		return byDefault
	}
	if len(value) > most || !utf8.ValidString(value) {
		p.fail(router.Errorf(router.Malformed, "parameter %s: want UTF-8 of at most %d bytes", name, most))
	}
	return value
}

func (p *parameters) fail(err error) {
	if p.failed == nil {
		p.failed = err
	}
}

// err gives the first mistake. A parameter that nobody took is one: it is probably misspelt.
func (p *parameters) err() error {
	if p.failed == nil {
		for name := range p.values {
			return router.Errorf(router.Malformed, "parameter %.40q: there is none of this name here", name)
		}
	}
	return p.failed
}
