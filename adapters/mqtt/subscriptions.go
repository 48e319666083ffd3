package mqtt

import (
	"slices"
	"strings"
)

// subscriptions are those of one client, in the order of their filters as the client writes them. Nearly all clients have a
// few, for which a map would be the largest thing there is about a client.
type subscriptions []*subscription

// find tells where the subscription with a text is, or is to be.
func (l subscriptions) find(text string) (int, bool) {
	return slices.BinarySearchFunc(l, text, func(s *subscription, text string) int {
		return strings.Compare(s.options.text(), text)
	})
}

// get gives the subscription with a text; nil when there is none.
func (l subscriptions) get(text string) *subscription {
	if i, ok := l.find(text); ok {
		return l[i]
	}
	return nil
}

// put adds a subscription, in the place of one with the same text.
func (l *subscriptions) put(s *subscription) {
	i, ok := l.find(s.options.text())
	if !ok {
		*l = slices.Insert(*l, i, s)
	}
	(*l)[i] = s
}

// remove takes away the subscription with a text, if there is one.
func (l *subscriptions) remove(text string) {
	if i, ok := l.find(text); ok {
		*l = slices.Delete(*l, i, i+1)
	}
}
