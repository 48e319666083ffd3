package stat

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// view is one of the tables that can be shown: of which entities, and which of their attributes.
type view struct {
	flag, short string
	about       string
	entityType  string
	columns     []column
	turned      bool // there is one entity: its attributes are the rows
}

// column is an attribute as people see it.
type column struct {
	attribute string
	title     string
	form      form
}

// form is how a value is shown to people.
type form uint8

const (
	asText form = iota
	asCount
	asBytes
	asDuration // of seconds
	asList     // of texts
	asAddress  // the key of an address, without its class and phase
)

// views are all tables; the first is shown if no flag says which.
var views = []view{
	{flag: "general", short: "g", about: "the gateway, and what was counted in the tenant", entityType: "router", turned: true, columns: []column{
		{"id", "node", asText}, {"version", "version", asText}, {"metadata", "asked", asText},
		{"uptimeSeconds", "uptime", asDuration}, {"memoryUsage", "memory", asBytes},
		{"connectionCount", "connections", asCount}, {"linkCount", "links", asCount}, {"addrCount", "addresses", asCount},
		{"deliveriesIngress", "messages in", asCount}, {"deliveriesEgress", "deliveries out", asCount},
		{"acceptedDeliveries", "accepted", asCount}, {"releasedDeliveries", "released", asCount},
		{"rejectedDeliveries", "rejected", asCount}, {"modifiedDeliveries", "modified", asCount},
		{"droppedPresettledDeliveries", "missed for want of credit", asCount},
	}},
	{flag: "connections", short: "c", about: "connections of clients", entityType: "connection", columns: []column{
		{"identity", "id", asCount}, {"protocol", "protocol", asText}, {"host", "host", asText}, {"container", "client", asText},
		{"user", "user", asText}, {"sslProto", "tls", asText}, {"uptimeSeconds", "uptime", asDuration},
		{"messagesIn", "in", asCount}, {"messagesOut", "out", asCount}, {"bytesIn", "bytes in", asBytes}, {"bytesOut", "bytes out", asBytes},
	}},
	{flag: "links", short: "l", about: "links of clients, and between routers", entityType: "router.link", columns: []column{
		{"linkType", "type", asText}, {"identity", "id", asText}, {"peer", "peer", asText}, {"connectionId", "conn", asCount}, {"linkDir", "dir", asText}, {"owningAddr", "address", asAddress},
		{"creditAvailable", "credit", asCount}, {"unsettledCount", "unsettled", asCount}, {"deliveryCount", "messages", asCount},
		{"presettledCount", "presettled", asCount}, {"droppedPresettledCount", "missed", asCount}, {"acceptedCount", "accepted", asCount},
		{"releasedCount", "released", asCount}, {"rejectedCount", "rejected", asCount}, {"modifiedCount", "modified", asCount},
	}},
	{flag: "addresses", short: "a", about: "addresses that are declared, stored or in use", entityType: "router.address", columns: []column{
		{"name", "address", asAddress}, {"kind", "kind", asText}, {"distribution", "distribution", asText},
		{"subscriberCount", "consumers", asCount}, {"messages", "stored", asCount}, {"bytes", "bytes", asBytes},
		{"trackedDeliveries", "held", asCount}, {"deliveriesIngress", "in", asCount}, {"deliveriesEgress", "out", asCount},
	}},
	{flag: "nodes", short: "n", about: "routers of the network, and the ways to them", entityType: "router.node", columns: []column{
		{"id", "router-id", asText}, {"nextHop", "next-hop", asText}, {"routerLink", "link", asText}, {"cost", "cost", asCount},
		{"linkState", "neighbors", asList}, {"validOrigins", "valid-origins", asList},
	}},
	{flag: "connectors", about: "connections that are kept to routers and brokers", entityType: "connector", columns: []column{
		{"name", "name", asText}, {"host", "host", asText}, {"port", "port", asText}, {"role", "role", asText}, {"cost", "cost", asCount},
		{"connectionStatus", "status", asText}, {"connectionMsg", "message", asText},
	}},
	{flag: "autolinks", about: "links that the gateway keeps to addresses elsewhere", entityType: "router.config.autoLink", columns: []column{
		{"name", "name", asText}, {"address", "address", asText}, {"direction", "dir", asText}, {"phase", "phase", asCount},
		{"externalAddress", "external", asText}, {"connection", "connection", asText}, {"containerId", "container", asText},
		{"operStatus", "status", asText}, {"lastError", "error", asText},
	}},
	{flag: "linkroutes", about: "addresses whose links lead to somebody else", entityType: "router.config.linkRoute", columns: []column{
		{"name", "name", asText}, {"prefix", "prefix", asText}, {"pattern", "pattern", asText}, {"direction", "dir", asText},
		{"connection", "connection", asText}, {"containerId", "container", asText}, {"operStatus", "status", asText},
	}},
	{flag: "memory", short: "m", about: "memory of the process, which the default tenant is told", entityType: "allocator", columns: []column{
		{"typeName", "for", asText}, {"totalAllocFromHeap", "bytes", asBytes},
	}},
}

// attributes are those that a view asks for.
func (v *view) attributes() []string {
	names := make([]string, len(v.columns))
	for i, c := range v.columns {
		names[i] = c.attribute
	}
	return names
}

// show writes a value for people; what is not there is a hyphen.
func (f form) show(value any) string {
	if value == nil || value == "" {
		return "-"
	}
	if list, isList := value.([]any); isList && f == asList {
		return showList(list)
	}
	switch text, isText := value.(string); {
	case f == asAddress && isText:
		return addressOf(text)
	case f == asBytes && !isText:
		return bytes(whole(value))
	case f == asDuration && !isText:
		return (time.Duration(whole(value)) * time.Second).String()
	case isText && strings.ContainsFunc(text, isControl):
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprint(value)
}

// showList writes a list of texts.
func showList(list []any) string {
	texts := make([]string, len(list))
	for i, value := range list {
		texts[i] = asText.show(value)
	}
	return cmp.Or(strings.Join(texts, " "), "-")
}

// isControl tells whether a character may do something to a terminal.
func isControl(r rune) bool { return r < ' ' || 0x7F <= r && r < 0xA0 }

// addressOf gives the text of an address without the class and the phase that its key begins with.
func addressOf(key string) string {
	text := strings.TrimPrefix(key, "M0")
	if text == key {
		text = strings.TrimPrefix(key, "L")
	}
	if strings.ContainsFunc(text, isControl) {
		return fmt.Sprintf("%q", text)
	}
	return text
}

// bytes writes a number of bytes with three digits and a unit.
func bytes(n int64) string {
	const units = "KMGTP"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for ; value >= 1000 && unit < len(units)-1; unit++ {
		value /= 1 << 10
	}
	return fmt.Sprintf("%.3g %ciB", value, units[unit])
}
