package management

// Address is one that is there: declared by its name, or stored, or in use.
type Address struct {
	Names
	Key          string `about:"M, its phase 0, and its text; L and its text for one of this router only; C, D, E or F and its text where links lead on."`
	Distribution string `about:"Who gets a message: one of them (balanced, closest), or everybody (multicast)."`
	Kind         string `about:"anycast, broadcast, queue or topic. Dispatch does not have it."`
	Priority     int    `about:"On the links between routers; -1: messages have priorities of their own."`

	InProcess       int `about:"Receivers inside the gateway."`
	SubscriberCount int `about:"Links of clients that receive from it."`
	RemoteCount     int `about:"Other routers that have receivers."`
	ContainerCount  int `about:"Containers to which links lead on, where it is of a link route."`

	DeliveriesIngress       uint64 `about:"Messages that came in."`
	DeliveriesEgress        uint64 `about:"Messages that consumers took."`
	DeliveriesTransit       uint64 `about:"Messages that passed through."`
	DeliveriesToContainer   uint64 `about:"Messages to the gateway itself."`
	DeliveriesFromContainer uint64 `about:"Messages from the gateway itself."`

	DeliveriesIngressRouteContainer uint64 `about:"Always 0: it is not measured."`
	DeliveriesEgressRouteContainer  uint64 `about:"Always 0: it is not measured."`
	DeliveriesRedirectedToFallback  uint64 `about:"Messages of links of now that the fallback has got, as nobody else wanted them."`

	RemoteHostRouters  []string `about:"Other routers that have receivers."`
	TransitOutstanding []string `about:"Always empty."`
	TrackedDeliveries  int      `about:"Messages that consumers hold."`

	Messages int   `about:"Messages that are stored. Dispatch does not have it."`
	Bytes    int64 `about:"Their bytes. Dispatch does not have it."`
}

var addressType = newType(entityType{
	name: "router.address", base: operationalEntity, about: "An address that is there.",
}, Model.Addresses, Model.Address)
