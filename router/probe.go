package router

// Probe is a Way of which it is not known yet whether anybody is there. It is of use for what is sent all the same; a sender
// that can be held back gets no credit for it.
type Probe interface {
	Way
	// Probes tells whether it is one. It is called with a node's lock held.
	Probes() bool
}

// welcomes tells whether the receiver is one for whose sake a sender gets credit.
func (r *Receiver) welcomes() bool {
	p, ok := r.consumer.(Probe)
	return !ok || !p.Probes()
}
