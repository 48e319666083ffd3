package frame

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/manifoldmq/manifold/router/amqp"
)

// maxDescribed bounds what is told of one frame, in bytes.
const maxDescribed = 2048

// Describe appends what a protocol header or a whole frame says, for people to read, in one line and in the notation that Qpid
// Proton has made usual:
//
//	0 <- @attach(18) [name="orders", handle=0, role=true, source=@source(40) [address="jobs"]]
//
// out tells whether we say it. Of messages only the size is told, and nothing of what somebody logs in with. It takes whatever
// comes: what cannot be read is said to be so. What goes on for long is cut.
func Describe(dst []byte, unit []byte, out bool) []byte {
	arrow := "<- "
	if out {
		arrow = "-> "
	}
	if bytes.HasPrefix(unit, []byte("AMQP")) && len(unit) == HeaderSize {
		return append(append(append(dst, "  "...), arrow...), layerName(unit[4])...)
	}
	if len(unit) < HeaderSize {
		return append(append(dst, arrow...), "(cut off)"...)
	}
	h, err := ReadHeader(unit)
	dst = append(strconv.AppendUint(dst, uint64(h.Channel), 10), ' ')
	dst = append(dst, arrow...)
	switch {
	case err != nil || h.Body > len(unit):
		return append(dst, "(no frame)"...)
	case h.Body == len(unit):
		return append(dst, "(EMPTY FRAME)"...)
	}
	t := teller{dst: dst, most: len(dst) + maxDescribed}
	t.performative(unit[h.Body:], h.Type == SASL)
	if len(t.dst) > t.most {
		t.dst = append(t.dst[:t.most], "..."...)
	}
	return t.dst
}

// layerName names the layer whose frames follow a protocol header.
func layerName(id byte) string {
	switch id {
	case ProtocolAMQP[4]:
		return "AMQP"
	case ProtocolTLS[4]:
		return "TLS"
	case ProtocolSASL[4]:
		return "SASL"
	}
	return "protocol " + strconv.Itoa(int(id))
}

// told is a type of AMQP as it is told.
type told struct {
	name   string
	fields []string // in their order
	secret string   // the field of which only the size is told
}

// types are those that AMQP defines and frames hold.
var types = map[uint64]told{
	amqp.DescriptorOpen: {name: "open", fields: []string{"container-id", "hostname", "max-frame-size", "channel-max",
		"idle-time-out", "outgoing-locales", "incoming-locales", "offered-capabilities", "desired-capabilities", "properties"}},
	amqp.DescriptorBegin: {name: "begin", fields: []string{"remote-channel", "next-outgoing-id", "incoming-window",
		"outgoing-window", "handle-max", "offered-capabilities", "desired-capabilities", "properties"}},
	amqp.DescriptorAttach: {name: "attach", fields: []string{"name", "handle", "role", "snd-settle-mode", "rcv-settle-mode",
		"source", "target", "unsettled", "incomplete-unsettled", "initial-delivery-count", "max-message-size",
		"offered-capabilities", "desired-capabilities", "properties"}},
	amqp.DescriptorFlow: {name: "flow", fields: []string{"next-incoming-id", "incoming-window", "next-outgoing-id",
		"outgoing-window", "handle", "delivery-count", "link-credit", "available", "drain", "echo", "properties"}},
	amqp.DescriptorTransfer: {name: "transfer", fields: []string{"handle", "delivery-id", "delivery-tag", "message-format",
		"settled", "more", "rcv-settle-mode", "state", "resume", "aborted", "batchable"}},
	amqp.DescriptorDisposition: {name: "disposition", fields: []string{"role", "first", "last", "settled", "state", "batchable"}},
	amqp.DescriptorDetach:      {name: "detach", fields: []string{"handle", "closed", "error"}},
	amqp.DescriptorEnd:         {name: "end", fields: []string{"error"}},
	amqp.DescriptorClose:       {name: "close", fields: []string{"error"}},
	amqp.DescriptorError:       {name: "error", fields: []string{"condition", "description", "info"}},

	amqp.DescriptorReceived: {name: "received", fields: []string{"section-number", "section-offset"}},
	amqp.DescriptorAccepted: {name: "accepted"},
	amqp.DescriptorRejected: {name: "rejected", fields: []string{"error"}},
	amqp.DescriptorReleased: {name: "released"},
	amqp.DescriptorModified: {name: "modified", fields: []string{"delivery-failed", "undeliverable-here", "message-annotations"}},

	amqp.DescriptorSource: {name: "source", fields: []string{"address", "durable", "expiry-policy", "timeout", "dynamic",
		"dynamic-node-properties", "distribution-mode", "filter", "default-outcome", "outcomes", "capabilities"}},
	amqp.DescriptorTarget: {name: "target", fields: []string{"address", "durable", "expiry-policy", "timeout", "dynamic",
		"dynamic-node-properties", "capabilities"}},
	amqp.DescriptorDeleteOnClose:             {name: "delete-on-close"},
	amqp.DescriptorDeleteOnNoLinks:           {name: "delete-on-no-links"},
	amqp.DescriptorDeleteOnNoMessages:        {name: "delete-on-no-messages"},
	amqp.DescriptorDeleteOnNoLinksOrMessages: {name: "delete-on-no-links-or-messages"},
	amqp.DescriptorCoordinator:               {name: "coordinator", fields: []string{"capabilities"}},
	amqp.DescriptorDeclared:                  {name: "declared", fields: []string{"txn-id"}},
	amqp.DescriptorTransactionalState:        {name: "transactional-state", fields: []string{"txn-id", "outcome"}},

	amqp.DescriptorSASLMechanisms: {name: "sasl-mechanisms", fields: []string{"sasl-server-mechanisms"}},
	amqp.DescriptorSASLInit: {name: "sasl-init", fields: []string{"mechanism", "initial-response", "hostname"},
		secret: "initial-response"},
	amqp.DescriptorSASLChallenge: {name: "sasl-challenge", fields: []string{"challenge"}, secret: "challenge"},
	amqp.DescriptorSASLResponse:  {name: "sasl-response", fields: []string{"response"}, secret: "response"},
	amqp.DescriptorSASLOutcome: {name: "sasl-outcome", fields: []string{"code", "additional-data"},
		secret: "additional-data"},
}

// teller writes values until there is enough of them.
type teller struct {
	dst  []byte
	most int
}

func (t *teller) text(s string) { t.dst = append(t.dst, s...) }

// performative tells the body of a frame, and the size of what follows the performative. Of a login that is none of the known
// ones nothing is told: it may hold a password anywhere.
func (t *teller) performative(body []byte, isLogin bool) {
	d := amqp.NewDecoder(body)
	v := amqp.Described{Descriptor: d.ReadDescriptor(), Value: d.ReadValue()}
	_, isList := v.Value.(amqp.List)
	_, isKnown := types[v.Descriptor.(uint64)]
	if d.Err() != nil || isLogin && !(isList && isKnown) {
		fmt.Fprintf(t, "(%d octets that cannot be read)", len(body))
		return
	}
	t.described(v)
	if d.Len() > 0 {
		fmt.Fprintf(t, " (%d)", d.Len())
	}
}

// Write implements io.Writer.
func (t *teller) Write(p []byte) (int, error) {
	t.dst = append(t.dst, p...)
	return len(p), nil
}

// value tells a value.
func (t *teller) value(v any) {
	if len(t.dst) > t.most {
		return
	}
	switch v := v.(type) {
	case nil:
		t.text("null")
	case string:
		t.dst = strconv.AppendQuote(t.dst, v)
	case amqp.Symbol:
		t.symbol(string(v))
	case []byte:
		t.text("b" + strconv.QuoteToASCII(string(v)))
	case amqp.Described:
		t.described(v)
	case amqp.List:
		t.list(func(yield func(any) bool) {
			for _, element := range v {
				if !yield(element) {
					return
				}
			}
		})
	case amqp.Array:
		t.list(v.All())
	case amqp.Map:
		t.text("{")
		for i, e := range v {
			if i > 0 {
				t.text(", ")
			}
			t.value(e.Key)
			t.text("=")
			t.value(e.Value)
			if len(t.dst) > t.most {
				break
			}
		}
		t.text("}")
	default:
		fmt.Fprint(t, v)
	}
}

// symbol tells a symbol: in quotes, if it is not one word of letters and digits.
func (t *teller) symbol(s string) {
	t.text(":")
	if strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		t.text(strconv.QuoteToASCII(s))
		return
	}
	t.text(s)
}

func (t *teller) list(all func(yield func(any) bool)) {
	t.text("[")
	first := true
	for element := range all {
		if !first {
			t.text(", ")
		}
		first = false
		t.value(element)
		if len(t.dst) > t.most {
			break
		}
	}
	t.text("]")
}

// described tells a value with a descriptor: those fields that are there by their names, where AMQP has some.
func (t *teller) described(v amqp.Described) {
	id, _ := v.Descriptor.(uint64)
	known, ok := types[id]
	fields, isList := v.Value.(amqp.List)
	if !ok || !isList {
		t.text("@")
		t.value(v.Descriptor)
		t.text(" ")
		t.value(v.Value)
		return
	}
	fmt.Fprintf(t, "@%s(%d) [", known.name, id)
	first := true
	for i, field := range fields {
		if field == nil {
			continue
		}
		if len(t.dst) > t.most {
			break
		}
		if !first {
			t.text(", ")
		}
		first = false
		name := strconv.Itoa(i)
		if i < len(known.fields) {
			name = known.fields[i]
		}
		t.text(name + "=")
		if name == known.secret {
			secret, _ := field.([]byte)
			fmt.Fprintf(t, "(%d octets)", len(secret))
		} else {
			t.value(field)
		}
	}
	t.text("]")
}
