package management

import "iter"

// Router is the gateway, as one tenant sees it: what is counted is what this tenant has.
type Router struct {
	Names
	ID            string `attr:"id" about:"The name of this node."`
	Mode          string `about:"Its part in a network of routers: interior, edge or standalone."`
	Area          string `about:"Always 0."`
	Version       string `about:"Which build of Manifold it is."`
	HostName      string `about:"The machine that it runs on."`
	WorkerThreads int    `about:"Processors that it may use at once."`
	Metadata      string `about:"What the configuration says about the gateway (network.metadata); else which tenant is asked about."`

	DefaultDistribution string `about:"Of addresses for which nothing else is declared."`

	AddrCount        int `about:"Addresses that are declared, stored or in use."`
	LinkCount        int `about:"Links of clients, over whichever protocol."`
	BlockedLinkCount int `about:"Links of clients that have had no credit for ten seconds."`
	LinksBlocked     int `about:"The same."`
	NodeCount        int `about:"Other routers that can be reached."`
	LinkRouteCount   int `about:"Link routes that are declared."`
	AutoLinkCount    int `about:"Links that the gateway keeps."`
	ConnectionCount  int `about:"Connections of clients."`

	PresettledDeliveries        uint64 `about:"Messages from clients that were sent without asking for an outcome, since the start."`
	DroppedPresettledDeliveries uint64 `about:"Of those, that did not arrive, or that a consumer missed because it had no credit."`
	AcceptedDeliveries          uint64 `about:"Messages that were accepted, since the start."`
	RejectedDeliveries          uint64 `about:"Likewise, that were rejected."`
	ReleasedDeliveries          uint64 `about:"Likewise, that were released."`
	ModifiedDeliveries          uint64 `about:"Likewise, that were modified."`
	DeliveriesDelayed1Sec       uint64 `about:"Messages whose outcome came after more than a second, since the start."`
	DeliveriesDelayed10Sec      uint64 `about:"Likewise, after more than ten seconds."`
	DeliveriesStuck             uint64 `about:"Messages whose outcome is not known for ten seconds now, by link: one that came in and went out counts twice."`
	DeliveriesIngress           uint64 `about:"Messages from clients, and all that came over links that are routed, since the start."`
	DeliveriesEgress            uint64 `about:"Deliveries to clients, since the start."`
	DeliveriesTransit           uint64 `about:"Deliveries to other routers, since the start."`

	DeliveriesIngressRouteContainer uint64 `about:"Messages that came from brokers, and from clients of a listener for them; they are among DeliveriesIngress."`
	DeliveriesEgressRouteContainer  uint64 `about:"Deliveries to those; they are among DeliveriesEgress."`
	DeliveriesRedirectedToFallback  uint64 `about:"Messages that fallbacks have got, as nobody else wanted them, since the start."`

	UptimeSeconds int  `about:"How long it has been running."`
	MemoryUsage   *int `about:"Bytes of memory that the process holds; told in the default tenant only."`
}

var routerType = newType(entityType{name: "router", base: configurationEntity, about: "The gateway."},
	func(m Model, offset int) iter.Seq[Router] { return slice([]Router{m.Router()}, offset) }, nil)

// Pool is a part of the process's memory. What has no pools of its own still has these: a unit is one byte.
type Pool struct {
	Names
	TypeName          string `about:"What the memory is for."`
	TypeSize          int    `about:"Bytes of a unit: always 1."`
	TransferBatchSize int    `about:"Always 0."`
	LocalFreeListMax  int    `about:"Always 0."`
	GlobalFreeListMax int    `about:"Always 0."`

	TotalAllocFromHeap uint64 `about:"Bytes."`
	TotalFreeToHeap    uint64 `about:"Always 0."`
	HeldByThreads      uint64 `about:"The same bytes."`

	BatchesRebalancedToThreads uint64 `about:"Always 0."`
	BatchesRebalancedToGlobal  uint64 `about:"Always 0."`
}

var poolType = newType(entityType{name: "allocator", base: operationalEntity, about: "A part of the process's memory."},
	func(m Model, offset int) iter.Seq[Pool] { return slice(m.Pools(), offset) }, nil)
