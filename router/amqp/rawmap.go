package amqp

// Map returns the view of a map, borrowed; ok is false for other types.
func (r RawValue) Map() (view MapView, ok bool) {
	if !r.Code().isMap() {
		return MapView{}, false
	}
	return mapView(r), true
}

// Described returns the parts of a described value [1.2], borrowed; ok is false for other types.
func (r RawValue) Described() (descriptor, value RawValue, ok bool) {
	if len(r) == 0 || r.Code() != CodeDescribed {
		return nil, nil, false
	}
	descriptor = nextRaw(r[1:])
	return descriptor, nextRaw(r[1+len(descriptor):]), true
}
