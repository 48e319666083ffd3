package selector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// section is a part of a message that identifiers name.
type section uint8

const (
	applicationProperties section = iota
	messageAnnotations
	deliveryAnnotations
	footer
	header
	properties
	jms // what JMS clients compute from the others
)

// field is what an identifier names.
type field struct {
	section section
	index   int    // in the header, the properties or among the fields of JMS
	key     string // in the sections that are maps
}

// The fields of the header, in the order of [amqp.Header].
const (
	headerDurable = iota
	headerPriority
	headerTTL
	headerFirstAcquirer
	headerDeliveryCount
)

// The fields that JMS computes.
const (
	jmsDeliveryMode = iota
	jmsMessageID
	jmsCorrelationID
	jmsTimestamp
	jmsExpiration
	jmsRedelivered
	jmsDeliveryCount
)

// propertyOf and entryOf make the commonest fields.
func propertyOf(f amqp.PropertyField) field { return field{section: properties, index: int(f)} }

func entryOf(key string) field { return field{section: applicationProperties, key: key} }

// resolve gives what a name stands for that was written without quotes. Application properties are the rest.
func resolve(name string) (field, error) {
	if qualifier, rest, ok := strings.Cut(name, "."); ok {
		if f, known, err := resolveQualified(qualifier, rest); known {
			return f, err
		}
		return entryOf(name), nil
	}
	return resolveJMS(name), nil
}

// resolveQualified gives what a name stands for in a section; known is false if there is no such section.
func resolveQualified(qualifier, name string) (f field, known bool, err error) {
	switch qualifier {
	case "application_properties", "a":
		return entryOf(name), true, nil
	case "message_annotations", "m":
		return field{section: messageAnnotations, key: name}, true, nil
	case "delivery_annotations", "d":
		return field{section: deliveryAnnotations, key: name}, true, nil
	case "footer", "f":
		return field{section: footer, key: name}, true, nil
	}
	name = strings.ReplaceAll(name, "-", "_")
	inHeader, inProperties := headerIndex(name), propertyIndex(name)
	switch {
	case !slices.Contains([]string{"header", "h", "properties", "p", "amqp"}, qualifier):
		return field{}, false, nil
	case inHeader >= 0 && qualifier != "properties" && qualifier != "p":
		return field{section: header, index: inHeader}, true, nil
	case inProperties >= 0 && qualifier != "header" && qualifier != "h":
		return field{section: properties, index: inProperties}, true, nil
	default:
		return field{}, true, fmt.Errorf("%s has no field %q", qualifier, name)
	}
}

// headerIndex gives the place of a field in the header [amqp 3.2.1], or -1.
func headerIndex(name string) int {
	return slices.Index([]string{"durable", "priority", "ttl", "first_acquirer", "delivery_count"}, name)
}

// propertyIndex gives the place of a field in the properties [amqp 3.2.4], or -1.
func propertyIndex(name string) int {
	return slices.Index([]string{
		"message_id", "user_id", "to", "subject", "reply_to", "correlation_id", "content_type", "content_encoding",
		"absolute_expiry_time", "creation_time", "group_id", "group_sequence", "reply_to_group_id",
	}, name)
}

// resolveJMS gives what a name without a section stands for, by the mapping that JMS clients over AMQP share.
func resolveJMS(name string) field {
	switch name {
	case "JMSDeliveryMode":
		return field{section: jms, index: jmsDeliveryMode}
	case "JMSPriority":
		return field{section: header, index: headerPriority}
	case "JMSMessageID":
		return field{section: jms, index: jmsMessageID}
	case "JMSCorrelationID":
		return field{section: jms, index: jmsCorrelationID}
	case "JMSTimestamp":
		return field{section: jms, index: jmsTimestamp}
	case "JMSExpiration":
		return field{section: jms, index: jmsExpiration}
	case "JMSRedelivered":
		return field{section: jms, index: jmsRedelivered}
	case "JMSType":
		return propertyOf(amqp.PropertySubject)
	case "JMSDestination":
		return propertyOf(amqp.PropertyTo)
	case "JMSReplyTo":
		return propertyOf(amqp.PropertyReplyTo)
	case "JMSXGroupID":
		return propertyOf(amqp.PropertyGroupID)
	case "JMSXGroupSeq":
		return propertyOf(amqp.PropertyGroupSequence)
	case "JMSXUserID":
		return propertyOf(amqp.PropertyUserID)
	case "JMSXDeliveryCount":
		return field{section: jms, index: jmsDeliveryCount}
	default:
		return entryOf(name)
	}
}
