package amqp

import (
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// addressText takes off what some clients put before an address: a slash, or amqp://host/.
func addressText(s string) string {
	for _, scheme := range []string{"amqp://", "amqps://"} {
		if rest, ok := strings.CutPrefix(s, scheme); ok {
			if _, path, ok := strings.Cut(rest, "/"); ok {
				s = path
			}
			return s
		}
	}
	return strings.TrimPrefix(s, "/")
}

// parseAddress reads the address that messages are sent to.
func parseAddress(s string) (addressing.Address, error) {
	a, err := addressing.ParseAddress(addressText(s))
	if err != nil {
		return "", router.Errorf(router.Malformed, "address: %v", err)
	}
	return a, nil
}

// kindOf gives the kind of address that a terminus asks for by a capability, as JMS clients do.
func kindOf(capabilities []codec.Symbol) addressing.Kind {
	switch {
	case slices.Contains(capabilities, "queue"):
		return addressing.Queue
	case slices.Contains(capabilities, "topic"):
		return addressing.Topic
	default:
		return addressing.AnyKind
	}
}

// sourceOf reads what a receiver takes from. "topic::name" names a durable subscription, and a durable terminus makes
// one of the container's name and the link's.
func sourceOf(s *frame.Source, container, link string) (router.Source, error) {
	text, subscription := addressText(s.Address), ""
	if i := strings.LastIndex(text, "::"); i >= 0 && !strings.Contains(text[i:], "/") {
		text, subscription = text[:i], text[i+len("::"):]
		if subscription == "" {
			return router.Source{}, router.Errorf(router.Malformed, "the name of a subscription must follow \"::\"")
		}
	} else if isDurable(s) {
		subscription = container + ":" + link
	}
	f, err := addressing.ParseFilter(text)
	if err != nil {
		return router.Source{}, router.Errorf(router.Malformed, "address: %v", err)
	}
	return router.Source{
		Filter: f, Kind: kindOf(s.Capabilities), Subscription: subscription, Retained: subscription == "",
	}, nil
}

// isDurable tells whether a source is to outlive its link [3.5.5, 3.5.6].
func isDurable(s *frame.Source) bool {
	return s.Durable != frame.NotDurable && s.ExpiryPolicy == frame.ExpireNever
}
