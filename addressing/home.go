package addressing

// Home says where in a network of routers a queue or a topic is stored.
type Home uint8

// The homes.
const (
	Alone     Home = iota // here, and the network does not know of it
	Here                  // here, for all routers of the network
	Elsewhere             // by another router, where what is sent here goes
)

// Confined tells whether the addresses are stored here for this router alone.
func (d *Definition) Confined() bool { return d.Home == Alone && (d.Kind == Queue || d.Kind == Topic) }

// storedEgress is the phase at which consumers take from what a network stores.
const storedEgress = 1

// ConsumerPhase is the phase at which consumers take from the addresses. Above 0 what is sent, at phase 0, has to get there.
func (d *Definition) ConsumerPhase() uint8 {
	if d.Home != Alone {
		return storedEgress
	}
	return d.Egress
}
