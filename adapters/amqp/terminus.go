package amqp

import (
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Kinds of nodes, as capabilities of a terminus by which JMS clients name them.
const (
	queueCapability          codec.Symbol = "queue"
	topicCapability          codec.Symbol = "topic"
	temporaryQueueCapability codec.Symbol = "temporary-queue"
	temporaryTopicCapability codec.Symbol = "temporary-topic"
)

// waypoint gives which of those that pass on what is sent to an address the terminus is, from 1 on; 0 for none.
func (m Manner) waypoint(capabilities []codec.Symbol) uint8 {
	if m != DispatchManner { // what a waypoint has accepted is stored
		return 0
	}
	for _, c := range capabilities {
		rest, ok := strings.CutPrefix(string(c), waypointCapability)
		switch {
		case !ok:
		case rest == "":
			return 1
		case len(rest) == 2 && rest[0] == '.' && rest[1] >= '1' && rest[1] <= '9':
			return rest[1] - '0'
		}
	}
	return 0
}

// sourcePhase gives the phase at which a source takes from an address; nil for that of consumers.
func (c *conn) sourcePhase(f addressing.Filter, capabilities []codec.Symbol) *uint8 {
	a, literal := f.Literal()
	n := c.server.config.Manner.waypoint(capabilities)
	switch {
	case slices.Contains(capabilities, fallbackCapability):
		return new(addressing.Fallback)
	case n > 0 && literal && c.isAnycast(a):
		return new(n - 1)
	default:
		return nil
	}
}

// targetPhase gives the phase at which a target sends to an address; nil for the first.
func (c *conn) targetPhase(a addressing.Address, capabilities []codec.Symbol) *uint8 {
	if n := c.server.config.Manner.waypoint(capabilities); n > 0 && c.isAnycast(a) {
		return new(n)
	}
	return nil
}

// isAnycast tells whether an address has phases.
func (c *conn) isAnycast(a addressing.Address) bool {
	return c.server.config.Router.KindOf(c.user, a) == addressing.Anycast
}

// phased gives those of the capabilities asked for that say at which phase a link is.
func phased(asked []codec.Symbol) []codec.Symbol {
	return slices.DeleteFunc(slices.Clone(asked), func(c codec.Symbol) bool {
		return c != fallbackCapability && !strings.HasPrefix(string(c), waypointCapability)
	})
}

// addressText takes off what some clients put before an address: a slash, amqp:/ or amqp://host/.
func addressText(s string) string {
	for _, scheme := range []string{"amqp://", "amqps://"} {
		if rest, ok := strings.CutPrefix(s, scheme); ok {
			if _, path, ok := strings.Cut(rest, "/"); ok {
				s = path
			}
			return s
		}
	}
	if rest, ok := strings.CutPrefix(s, "amqp:/"); ok {
		return rest
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
	case slices.Contains(capabilities, queueCapability):
		return addressing.Queue
	case slices.Contains(capabilities, topicCapability):
		return addressing.Topic
	default:
		return addressing.AnyKind
	}
}

// capabilitiesOf gives the capabilities of a terminus of a kind, for the answer to an attach that asked for others.
func capabilitiesOf(kind addressing.Kind, asked []codec.Symbol) []codec.Symbol {
	switch {
	case kind == addressing.Queue:
		return []codec.Symbol{queueCapability}
	case kind == addressing.Topic:
		return []codec.Symbol{topicCapability}
	case kind == addressing.Anycast && slices.Contains(asked, temporaryQueueCapability):
		return []codec.Symbol{temporaryQueueCapability}
	case kind == addressing.Broadcast && slices.Contains(asked, temporaryTopicCapability):
		return []codec.Symbol{temporaryTopicCapability}
	default:
		return nil
	}
}

// makeTemporary makes the address of a dynamic terminus, which lasts as long as its link: a queue, or a topic if the
// terminus asks for one.
func (c *conn) makeTemporary(capabilities []codec.Symbol) (address string, release func()) {
	make := c.server.config.Router.Temporary
	if slices.Contains(capabilities, temporaryTopicCapability) || slices.Contains(capabilities, topicCapability) {
		make = c.server.config.Router.TemporaryTopic
	}
	a, release := make(c.user)
	return string(a), release
}

// kept says what there is of a terminus when its link has ended [3.5.5, 3.5.6]: of one that lasts it is known what it is,
// but not what was unsettled. Others are gone.
func kept(lasts bool) (frame.Durability, codec.Symbol) {
	if lasts {
		return frame.DurableConfiguration, frame.ExpireNever
	}
	return frame.NotDurable, frame.ExpireLinkDetach
}

// deleteOnClose are the properties of the node of a dynamic terminus [3.5.9]: it ends with its link [3.5.10].
func deleteOnClose() codec.RawValue {
	properties := codec.BeginFields(nil)
	policy := codec.BeginList(codec.AppendDescriptor(properties.Key("lifetime-policy"), codec.DescriptorDeleteOnClose))
	properties.Put(policy.End())
	return properties.End()
}

// parseSource reads the addresses that messages are received from, and the name of their subscription that may follow
// "::".
func parseSource(s string) (f addressing.Filter, subscription string, err error) {
	text := addressText(s)
	if i := strings.LastIndex(text, "::"); i >= 0 && !strings.Contains(text[i:], "/") {
		text, subscription = text[:i], text[i+len("::"):]
		if subscription == "" {
			return f, "", router.Errorf(router.Malformed, "the name of a subscription must follow \"::\"")
		}
	}
	f, err = addressing.ParseFilter(text)
	if err != nil {
		return f, "", router.Errorf(router.Malformed, "address: %v", err)
	}
	return f, subscription, nil
}
