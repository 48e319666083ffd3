package federation

import (
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Path is the tags of networks in the order in which something has gone through them. It can be compared; the empty one
// is of what has stayed where it is.
type Path string

// separator is between the tags of a path, which none of them contains.
const separator = "\x00"

// MaxHops is how many networks a path may have. What has gone through as many goes no further.
const MaxHops = 32

// PathOf gives the path through these networks. Empty tags are left out.
func PathOf(tags ...string) (p Path) {
	for _, tag := range tags {
		p = p.With(tag)
	}
	return p
}

// Tags gives the networks of the path.
func (p Path) Tags() []string {
	if p == "" {
		return nil
	}
	return strings.Split(string(p), separator)
}

// Len is how many networks the path goes through.
func (p Path) Len() int {
	if p == "" {
		return 0
	}
	return strings.Count(string(p), separator) + 1
}

// With gives the path that goes on through another network. One that is on it already is not added again.
func (p Path) With(tag string) Path {
	tag = strings.ReplaceAll(tag, separator, "")
	switch {
	case tag == "" || p.Has(tag):
		return p
	case p == "":
		return Path(tag)
	default:
		return p + separator + Path(tag)
	}
}

// Has tells whether the path goes through a network.
func (p Path) Has(tag string) bool { return slices.Contains(p.Tags(), tag) }

// Meets tells whether two paths have a network in common.
func (p Path) Meets(q Path) bool { return slices.ContainsFunc(q.Tags(), p.Has) }

// list encodes the path as a list of strings.
func (p Path) list(dst []byte) []byte {
	l := amqp.BeginList(dst)
	for _, tag := range p.Tags() {
		l.String(tag)
	}
	return l.End()
}

// readPath reads a list of strings, or of symbols, as far as MaxHops. What else is in it is left out.
func readPath(list amqp.RawValue) (p Path) {
	if len(list) == 0 {
		return ""
	}
	tags, _ := list.Value().(amqp.List)
	for _, tag := range tags[:min(len(tags), MaxHops)] {
		switch tag := tag.(type) {
		case string:
			p = p.With(tag)
		case amqp.Symbol:
			p = p.With(string(tag))
		}
	}
	return p
}
