package router

// deliveryWeight is about what it takes to keep a message besides its bytes, so that many small ones, or empty ones, count as well.
const deliveryWeight = 128

// weight is what a message counts for where messages wait in memory, and are bounded by Limits.MaxWaiting.
func (d *Delivery) weight() int { return d.Message.Len() + deliveryWeight }
