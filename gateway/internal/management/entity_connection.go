package management

import (
	"context"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Connection is a client's, over whichever protocol, or one to another router or a broker.
type Connection struct {
	Names
	Host            string  `about:"Where the client is, as address:port."`
	Container       string  `about:"What the client calls itself: AMQP's container-id, MQTT's and STOMP's client id."`
	Protocol        string  `about:"What it speaks, such as amqp or mqtt."`
	Role            string  `about:"What is there: normal for a client, or the role of its connector or listener."`
	Dir             string  `about:"in: the other side has made the connection; out: a connector has."`
	Opened          bool    `about:"Always true."`
	Active          bool    `about:"Always true."`
	AdminStatus     string  `about:"enabled; deleted closes the connection." set:"update"`
	OperStatus      string  `about:"Always up."`
	IsAuthenticated bool    `about:"Whether the client has shown who it is."`
	User            string  `about:"Who the client is; anonymous if it has not shown that."`
	SASL            string  `attr:"sasl" about:"ANONYMOUS, or PLAIN for whichever way the client has shown who it is."`
	IsEncrypted     bool    `about:"Whether it is one of TLS."`
	SSL             bool    `attr:"ssl" about:"The same."`
	SSLProto        *string `attr:"sslProto" about:"The version of TLS."`
	SSLCipher       *string `attr:"sslCipher" about:"The suite of ciphers, if it is known."`
	SSLSSF          int     `attr:"sslSsf" about:"Always 0: strength is not a number."`
	Tenant          string  `about:"Whose client it is."`
	UptimeSeconds   int     `about:"How long it has been there."`
	LastDlvSeconds  *int    `about:"How long ago the last message went over it; not told where it is not known."`

	EnableProtocolTrace bool          `about:"Whether the frames of AMQP on it are logged." set:"update"`
	Properties          amqp.RawValue `about:"What the client has told about itself: a map."`

	MessagesIn  uint64 `about:"Messages from the client. Dispatch does not have it."`
	MessagesOut uint64 `about:"Messages to the client. Dispatch does not have it."`
	BytesIn     uint64 `about:"Bytes of messages from the client. Dispatch does not have it."`
	BytesOut    uint64 `about:"Bytes of messages to the client. Dispatch does not have it."`
}

// Values of adminStatus, of which the second closes a connection.
const (
	statusEnabled = "enabled"
	statusDeleted = "deleted"
)

var connectionType = changeable(newType(entityType{
	name: "connection", base: operationalEntity, about: "A connection of a client, or to a router or broker.",
}, Model.Connections, Model.Connection), changes[Connection]{update: updateConnection})

// updateConnection closes a connection whose adminStatus has been set to deleted, and has one traced.
func updateConnection(ctx context.Context, m Model, c Connection, said saying) (Connection, error) {
	if said("enableProtocolTrace") {
		if err := m.Trace(ctx, c.Identity, c.EnableProtocolTrace); err != nil {
			return c, err
		}
	}
	switch c.AdminStatus {
	case statusEnabled:
		return c, nil
	case statusDeleted:
		c.OperStatus = "closing"
		return c, m.Dismiss(ctx, c.Identity)
	}
	return c, faultf(statusBadRequest, "adminStatus is %s or %s", statusEnabled, statusDeleted)
}

// Link is one way of messages between a client and an address, or the addresses of a filter; one end of a link that leads on; or
// a link to another router.
type Link struct {
	Names
	AdminStatus  string  `about:"Always enabled."`
	OperStatus   string  `about:"Always up."`
	LinkName     string  `about:"What the link is called."`
	LinkType     string  `about:"endpoint; between routers inter-router, router-control, or edge-downlink for what is for an edge router."`
	LinkDir      string  `about:"in: the other side sends; out: it receives."`
	ConnectionID string  `attr:"connectionId" about:"The identity of its connection."`
	OwningAddr   string  `about:"The address or filter, as M, its phase, and its text; L and its text for a temporary one."`
	Peer         *string `about:"The other end of a link that leads on, by its identity."`
	Capacity     int     `about:"Messages that may be on their way at once."`
	Priority     int     `about:"Of the messages that the link is for, between routers; else always 4."`

	UndeliveredCount       int    `about:"Messages for which the client has no credit, at an address that stores nothing."`
	UnsettledCount         uint64 `about:"Messages on their way, whose outcome is not known."`
	DeliveryCount          uint64 `about:"Messages that went over it."`
	PresettledCount        uint64 `about:"Of those, that nobody wanted to know the outcome of."`
	DroppedPresettledCount uint64 `about:"Messages that the client missed because it had no credit."`
	AcceptedCount          uint64 `about:"Messages that were accepted."`
	RejectedCount          uint64 `about:"Messages that were rejected."`
	ReleasedCount          uint64 `about:"Messages that were released."`
	ModifiedCount          uint64 `about:"Messages that were modified."`
	DeliveriesDelayed1Sec  uint64 `about:"Messages whose outcome took longer than a second; not measured of links that lead on, or between routers."`
	DeliveriesDelayed10Sec uint64 `about:"Likewise, longer than ten."`
	DeliveriesStuck        uint64 `about:"Likewise, messages on their way for longer than ten seconds now."`
	CreditAvailable        int    `about:"Messages that the client may send, or takes, before more credit is given."`
	ZeroCreditSeconds      int    `about:"For how long the client has had no credit, or given none; 0 while there is some."`
	SettleRate             int    `about:"Always 0: it is not measured."`
}

var linkType = newType(entityType{name: "router.link", base: operationalEntity, about: "A link of a client."},
	Model.Links, Model.Link)
