package amqp

import "iter"

// ApplicationProperties yields the application's own properties, decoded, in the order of their encoding [3.2.5].
// [Message.ApplicationPropertiesView] does it without allocating.
func (m Message) ApplicationProperties() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for key, value := range m.ApplicationPropertiesView().All() {
			text, _ := key.Text()
			if !yield(string(text), value.Value()) {
				return
			}
		}
	}
}

// ApplicationPropertiesView returns the application's own properties as they are encoded [3.2.5]. All keys are
// strings.
func (m Message) ApplicationPropertiesView() MapView {
	return mapView(sectionValue(m.Sections().ApplicationProperties))
}

// ApplicationProperty returns one application property; ok is false if there is none of this name.
func (m Message) ApplicationProperty(name string) (value any, ok bool) {
	raw, ok := m.ApplicationPropertiesView().Lookup(name)
	return raw.Value(), ok
}

// checkApplicationProperties moves past a map with string keys. [3.2.5] wants simple values too, but a list or a
// map is let pass: the section reaches the receiver as it is, and nothing in between depends on it.
func (d *Decoder) checkApplicationProperties() {
	c := d.constructor()
	if !c.isMap() {
		d.mismatch("map", c)
		return
	}
	outer := d.limit
	count, ok := d.open(c)
	if !ok {
		return
	}
	for ; count > 0 && d.err == nil; count -= 2 {
		d.ReadStringBytes()
		d.Check()
	}
	d.close(outer)
}

// BeginApplicationProperties starts the application-properties section at the end of dst [3.2.5].
func BeginApplicationProperties(dst []byte) MapWriter {
	return BeginMap(AppendDescriptor(dst, DescriptorApplicationProperties))
}

// BeginDeliveryAnnotations starts the delivery-annotations section at the end of dst [3.2.2].
func BeginDeliveryAnnotations(dst []byte) MapWriter {
	return BeginFields(AppendDescriptor(dst, DescriptorDeliveryAnnotations))
}

// BeginMessageAnnotations starts the message-annotations section at the end of dst [3.2.3].
func BeginMessageAnnotations(dst []byte) MapWriter {
	return BeginFields(AppendDescriptor(dst, DescriptorMessageAnnotations))
}

// BeginFooter starts the footer section at the end of dst [3.2.9].
func BeginFooter(dst []byte) MapWriter {
	return BeginFields(AppendDescriptor(dst, DescriptorFooter))
}
