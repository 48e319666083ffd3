package edge

import (
	"github.com/manifoldmq/manifold/router/amqp"
)

// What the application properties of questions and answers say.
const (
	propertyVersion = "version"
	propertyOpcode  = "opcode"
	propertyStatus  = "status"

	lookupVersion   = 1
	linkRouteLookup = 1

	statusOK       = 0
	statusNotFound = 3
)

// Question is asked by an edge router before it attaches a client's link: whether links to the address are routed.
type Question struct {
	Address string
	Sends   bool // the client does
	ReplyTo string
	ID      string // names it, for its answer
}

// Append appends the question as a message.
func (q Question) Append(dst []byte) []byte {
	properties := amqp.Properties{ReplyTo: q.ReplyTo, CorrelationID: q.ID}
	application := amqp.BeginApplicationProperties(properties.Append(dst))
	application.Uint(propertyVersion, lookupVersion)
	application.Uint(propertyOpcode, linkRouteLookup)
	list := amqp.BeginList(amqp.AppendDescriptor(application.End(), amqp.DescriptorValue))
	list.String(q.Address)
	list.Bool(q.Sends)
	return list.End()
}

// ParseQuestion reads a question. The error is ErrMessage.
func ParseQuestion(m amqp.Message) (Question, error) {
	properties, err := m.Properties()
	version, _ := number(m, propertyVersion)
	opcode, _ := number(m, propertyOpcode)
	text, sends, ok := pair(m)
	name, named := properties.CorrelationID.(string)
	if err != nil || version != lookupVersion || opcode != linkRouteLookup || !ok || !named || properties.ReplyTo == "" {
		return Question{}, ErrMessage
	}
	return Question{Address: text, Sends: sends, ReplyTo: properties.ReplyTo, ID: name}, nil
}

// Answer is what an interior router knows.
type Answer struct {
	ID        string // of the question
	Routed    bool   // links to the address are
	Reachable bool   // there is somebody to route them to
}

// Append appends the answer as a message to where the question wants it.
func (a Answer) Append(dst []byte, to string) []byte {
	properties := amqp.Properties{To: to, CorrelationID: a.ID}
	application := amqp.BeginApplicationProperties(properties.Append(dst))
	application.Uint(propertyVersion, lookupVersion)
	application.Uint(propertyOpcode, linkRouteLookup)
	status := uint32(statusNotFound)
	if a.Routed {
		status = statusOK
	}
	application.Uint(propertyStatus, status)
	list := amqp.BeginList(amqp.AppendDescriptor(application.End(), amqp.DescriptorValue))
	list.Bool(a.Routed)
	list.Bool(a.Reachable)
	return list.End()
}

// ParseAnswer reads an answer. The error is ErrMessage.
func ParseAnswer(m amqp.Message) (Answer, error) {
	properties, err := m.Properties()
	status, ok := number(m, propertyStatus)
	name, named := properties.CorrelationID.(string)
	values, isList := m.Body().Value().Value().(amqp.List)
	if err != nil || !ok || !named || !isList || len(values) < 2 {
		return Answer{}, ErrMessage
	}
	routed, _ := values[0].(bool)
	reachable, _ := values[1].(bool)
	return Answer{ID: name, Routed: routed && status == statusOK, Reachable: reachable && status == statusOK}, nil
}

// number reads an application property that is a whole number, of whatever type, that is not negative.
func number(m amqp.Message, name string) (n uint64, ok bool) {
	value, _ := m.ApplicationProperty(name)
	switch v := value.(type) {
	case uint32:
		return uint64(v), true
	case uint64:
		return v, true
	case int32:
		return uint64(max(v, 0)), v >= 0
	case int64:
		return uint64(max(v, 0)), v >= 0
	case uint8:
		return uint64(v), true
	default:
		return 0, false
	}
}
