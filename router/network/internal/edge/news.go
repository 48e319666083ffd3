package edge

import (
	"errors"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// Addresses at which an interior router serves its edge routers.
const (
	TrackingAddress  = "_$qd.edge_addr_tracking" // to receive News from
	LookupAddress    = "_$qd.addr_lookup"        // to send Questions to
	HeartbeatAddress = "_$qd.edge_heartbeat"     // to send a word to now and then
)

// DownlinkCapability is what a link has, on both of its ends, over which an edge router receives what is addressed to it
// by its name. Its source is that name.
const DownlinkCapability amqp.Symbol = "qd.router-edge-downlink"

// News is what an interior router tells of an address that an edge router sends to.
type News struct {
	Key       protocol.Key
	Reachable bool // somebody consumes from it who is not behind the same edge router
}

// ErrMessage says that a message of the other router is not what it should be.
var ErrMessage = errors.New("malformed edge message")

// Append appends the news as a message.
func (n News) Append(dst []byte) []byte {
	list := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorValue))
	list.String(string(n.Key))
	list.Bool(n.Reachable)
	return list.End()
}

// ParseNews reads news. The error is ErrMessage.
func ParseNews(m amqp.Message) (News, error) {
	text, flag, ok := pair(m)
	if !ok {
		return News{}, ErrMessage
	}
	return News{Key: protocol.Key(text), Reachable: flag}, nil
}

// pair reads a body that is a list of a text and a truth value.
func pair(m amqp.Message) (text string, flag, ok bool) {
	values, isList := m.Body().Value().Value().(amqp.List)
	if !isList || len(values) < 2 {
		return "", false, false
	}
	switch v := values[0].(type) {
	case string:
		text = v
	case amqp.Symbol:
		text = string(v)
	default:
		return "", false, false
	}
	flag, ok = values[1].(bool)
	return text, flag, ok && len(text) <= protocol.MaxKey
}
