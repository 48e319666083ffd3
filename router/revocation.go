package router

// Revocable is a Consumer that hears when its receiver gets nothing more although nobody has closed it: another router has
// the messages, and does not give them any more.
type Revocable interface {
	Consumer
	// Revoked tells why; nil is for a receiver of Source.Kept that has had everything from there. With a reason the
	// receiver is to be closed. It is called as Deliver is, with locks held, and perhaps before the receiver is known.
	Revoked(r *Receiver, why *Error)
}

// Revoke is for nodes: it tells the consumer that nothing more comes from them. It is false when that cannot be told.
func (r *Receiver) Revoke(why *Error) bool {
	c, ok := r.consumer.(Revocable)
	if ok {
		c.Revoked(r, why)
	}
	return ok
}
