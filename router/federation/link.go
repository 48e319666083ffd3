package federation

import "github.com/manifoldmq/manifold/router/amqp"

// viaProperty is the property of an attach by which the link is one of a federation.
const viaProperty = "manifold:federation"

// LinkProperties gives the properties of the attach of a link of a federation: on behalf of whom it receives, the network
// that is farthest off first and that of the link last.
func LinkProperties(via Path) amqp.RawValue {
	w := amqp.BeginFields(nil)
	w.Put(via.list(w.Key(viaProperty)))
	return w.End()
}

// LinkVia reads these properties. It is false for the link of a client.
func LinkVia(properties amqp.RawValue) (via Path, ok bool) {
	entries, _ := properties.Map()
	list, ok := entries.Lookup(viaProperty)
	return readPath(list), ok
}
