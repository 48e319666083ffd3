package amqp

// Fail stops the decoder with a mistake that its caller found in what it read, such as a mandatory field that is
// missing. The first mistake counts. The reason is in lower case, and never data of the peer.
func (d *Decoder) Fail(reason string) { d.fail(reason) }
