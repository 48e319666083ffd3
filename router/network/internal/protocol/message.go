package protocol

// Version is the newest version of the protocol that is spoken here. Messages of a lower one are understood too.
const Version = 1

// What a message may hold at most.
const (
	MaxID        = 127     // octets of a router's id
	MaxRouters   = 4096    // routers in one list
	MaxAddresses = 1 << 20 // addresses in one list
	MaxCost      = 1 << 30 // of one link
)

// Opcode names a kind of message.
type Opcode string

// The opcodes of version 1.
const (
	OpHello            Opcode = "HELLO"
	OpAdvertisement    Opcode = "RA"
	OpLinkState        Opcode = "LSU"
	OpLinkStateRequest Opcode = "LSR"
	OpAddresses        Opcode = "MAU"
	OpAddressesRequest Opcode = "MAR"
)

// Message is one of *Hello, *Advertisement, *LinkState, *LinkStateRequest, *Addresses and *AddressesRequest.
type Message interface {
	Opcode() Opcode
	From() Sender
	appendFields(*writer)
}

// Sender is what every message says of the router that made it.
type Sender struct {
	Router  string // its id
	Version int64  // of the protocol
}

// From gives the router that made the message.
func (s Sender) From() Sender { return s }

// Hello tells the router at the other end of a link who is at this end, and whom it hears.
type Hello struct {
	Sender
	Instance int64 // differs after a restart; 0 from routers that do not tell
	Seen     []string
}

// Advertisement tells all routers which numbers the link state and the addresses of its sender have reached, so that
// those who missed something ask for it.
type Advertisement struct {
	Sender
	Instance  int64
	LinkState int64
	Addresses int64
}

// LinkState is all links of its sender.
type LinkState struct {
	Sender
	Instance int64
	Sequence int64
	Peers    []Peer // in the order of their ids
}

// Peer is a neighbour and the cost of the link to it.
type Peer struct {
	Router string
	Cost   int64
}

// LinkStateRequest asks a router for its LinkState.
type LinkStateRequest struct{ Sender }

// Addresses tells which addresses somebody consumes from at its sender: all of them, or how they changed since the
// message with the number before.
type Addresses struct {
	Sender
	Sequence int64
	All      bool      // Added is all addresses that there are, Removed is empty
	Added    []Address // only once each
	Removed  []Key
}

// Address is an address with somebody who consumes from it.
type Address struct {
	Key       Key
	Treatment Treatment
}

// AddressesRequest asks a router for all its Addresses, if they have a higher number than Have.
type AddressesRequest struct {
	Sender
	Have int64
}

// Opcode implements Message.
func (*Hello) Opcode() Opcode { return OpHello }

// Opcode implements Message.
func (*Advertisement) Opcode() Opcode { return OpAdvertisement }

// Opcode implements Message.
func (*LinkState) Opcode() Opcode { return OpLinkState }

// Opcode implements Message.
func (*LinkStateRequest) Opcode() Opcode { return OpLinkStateRequest }

// Opcode implements Message.
func (*Addresses) Opcode() Opcode { return OpAddresses }

// Opcode implements Message.
func (*AddressesRequest) Opcode() Opcode { return OpAddressesRequest }

// ValidID tells whether a router may be called id: 1 to [MaxID] octets of printable text, without a slash, as the id is
// part of addresses.
func ValidID(id string) bool {
	if id == "" || len(id) > MaxID {
		return false
	}
	for _, r := range id {
		if r <= ' ' || r == '/' || r == 0x7f || r == '\uFFFD' {
			return false
		}
	}
	return id != everybody
}
