package client

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/spf13/cobra"
)

// defaultPriority is that of a message that names none [AMQP 1.0, part 3, 3.2.1].
const defaultPriority = 4

// draft is what the flags say about each message, apart from its body.
type draft struct {
	properties    []string // name=value
	subject       string
	contentType   string
	replyTo       string
	correlationID string
	messageID     string
	ttl           time.Duration
	priority      uint8
	durable       bool
}

func (d *draft) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&d.properties, "property", nil, "application property `NAME=VALUE`; may be repeated")
	f.StringVar(&d.subject, "subject", "", "`TEXT` that says what the message is about")
	f.StringVar(&d.contentType, "content-type", "", "MIME `TYPE` of the body, such as application/json")
	f.StringVar(&d.replyTo, "reply-to", "", "`ADDRESS` to which answers go")
	f.StringVar(&d.correlationID, "correlation-id", "", "`ID` that ties an answer to its question")
	f.StringVar(&d.messageID, "message-id", "", "`ID` of the message; the same for all, if there are several")
	f.DurationVar(&d.ttl, "ttl", 0, "time to live, such as 30s; 0 is for ever")
	f.Uint8Var(&d.priority, "priority", defaultPriority, "`N` from 0 to 9; higher is more urgent")
	f.BoolVar(&d.durable, "durable", false, "ask for storage that survives a restart")
}

// message gives a message without a body.
func (d *draft) message(address string) (amqp.Message, error) {
	switch {
	case d.priority > 9:
		return amqp.Message{}, fmt.Errorf("--priority %d is not from 0 to 9", d.priority)
	case d.ttl < 0 || (d.ttl > 0 && d.ttl < time.Millisecond) || d.ttl.Milliseconds() > math.MaxUint32:
		return amqp.Message{}, fmt.Errorf("--ttl %v is not from 1ms to %v", d.ttl, math.MaxUint32*time.Millisecond)
	}
	properties, err := d.applicationProperties()
	if err != nil {
		return amqp.Message{}, err
	}
	m := amqp.Message{
		Properties: &amqp.MessageProperties{
			To:          &address,
			Subject:     unlessEmpty(d.subject),
			ContentType: unlessEmpty(d.contentType),
			ReplyTo:     unlessEmpty(d.replyTo),
		},
		ApplicationProperties: properties,
	}
	if d.messageID != "" {
		m.Properties.MessageID = d.messageID
	}
	if d.correlationID != "" {
		m.Properties.CorrelationID = d.correlationID
	}
	if d.durable || d.priority != defaultPriority || d.ttl > 0 {
		m.Header = &amqp.MessageHeader{Durable: d.durable, Priority: d.priority, TTL: d.ttl}
	}
	return m, nil
}

func (d *draft) applicationProperties() (map[string]any, error) {
	var properties map[string]any
	for _, text := range d.properties {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, errors.New("--property takes NAME=VALUE")
		}
		if _, twice := properties[name]; twice {
			return nil, fmt.Errorf("--property %s is given twice", name)
		}
		if properties == nil {
			properties = make(map[string]any)
		}
		properties[name] = value
	}
	return properties, nil
}

func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
