package amqp

import codec "github.com/manifoldmq/manifold/router/amqp"

// priority gives the priority among the consumers of a queue that the client asks for in the properties of its attach: by
// the name that ActiveMQ Artemis knows, or that of RabbitMQ. It is 0 if it does not.
func (out *outgoing) priority() int {
	properties, _ := out.link.Remote().Properties.Map()
	for _, name := range [...]string{"priority", "rabbitmq:priority"} {
		if value, ok := properties.Lookup(name); ok {
			return whole(value)
		}
	}
	return 0
}

// whole gives an integer of any type, within those of 32 bits; 0 for anything else.
func whole(value codec.RawValue) int {
	const least, most = -1 << 31, 1<<31 - 1
	switch v := value.Value().(type) {
	case int8:
		return int(v)
	case int16:
		return int(v)
	case int32:
		return int(v)
	case int64:
		return int(min(max(v, least), most))
	case uint8:
		return int(v)
	case uint16:
		return int(v)
	case uint32:
		return int(min(v, most))
	case uint64:
		return int(min(v, most))
	}
	return 0
}
