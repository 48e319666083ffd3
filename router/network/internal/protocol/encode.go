package protocol

import "github.com/manifoldmq/manifold/router/amqp"

// writer writes the fields of a body.
type writer struct{ amqp.MapWriter }

// appendBody appends the section with the fields of a message.
func appendBody(dst []byte, m Message) []byte {
	from := m.From()
	w := writer{amqp.BeginMap(amqp.AppendDescriptor(dst, amqp.DescriptorValue))}
	w.String(fieldRouter, from.Router)
	w.Long(fieldVersion, from.Version)
	w.String(fieldArea, area)
	m.appendFields(&w)
	return w.End()
}

func (m *Hello) appendFields(w *writer) {
	w.Long(fieldInstance, m.Instance)
	w.Put(appendTexts(w.Key(fieldSeen), m.Seen))
}

func (m *Advertisement) appendFields(w *writer) {
	w.Long(fieldInstance, m.Instance)
	w.Long(fieldLinkState, m.LinkState)
	w.Long(fieldAddresses, m.Addresses)
}

func (m *LinkState) appendFields(w *writer) {
	w.Long(fieldInstance, m.Instance)
	w.Long(fieldLinkState, m.Sequence)
	state := amqp.BeginMap(w.Key(fieldState))
	state.String(fieldRouter, m.Router)
	state.String(fieldArea, area)
	state.Long(fieldLinkState, m.Sequence)
	peers := amqp.BeginMap(state.Key(fieldPeers))
	for _, peer := range m.Peers {
		peers.Long(peer.Router, peer.Cost)
	}
	state.Put(peers.End())
	w.Put(state.End())
}

func (*LinkStateRequest) appendFields(*writer) {}

func (m *Addresses) appendFields(w *writer) {
	w.Long(fieldAddresses, m.Sequence)
	added := fieldAdded
	if m.All {
		added = fieldExist
	}
	keys := amqp.BeginList(w.Key(added))
	for _, address := range m.Added {
		keys.String(string(address.Key))
	}
	w.Put(keys.End())
	hints := amqp.BeginList(w.Key(fieldHints))
	for _, address := range m.Added {
		hints.Put(amqp.AppendInt(hints.Buffer(), int32(address.Treatment)-1))
	}
	w.Put(hints.End())
	if m.All {
		return
	}
	removed := amqp.BeginList(w.Key(fieldRemoved))
	for _, key := range m.Removed {
		removed.String(string(key))
	}
	w.Put(removed.End())
}

func (m *AddressesRequest) appendFields(w *writer) { w.Long(fieldHave, m.Have) }

// appendTexts appends a list of strings.
func appendTexts(dst []byte, texts []string) []byte {
	list := amqp.BeginList(dst)
	for _, text := range texts {
		list.String(text)
	}
	return list.End()
}
