package edge

import (
	"strconv"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// ManagementAddress is where an interior router takes Requests.
const ManagementAddress = "$management"

// What the properties of requests and responses say.
const (
	propertyOperation = "operation"
	propertyType      = "type"
	propertyName      = "name"
	propertyIdentity  = "identity"
	propertyCode      = "statusCode"

	proxyType = "org.apache.qpid.dispatch.router.connection.linkRoute"

	statusCreated   = 201
	statusNoContent = 204
	statusAbsent    = 404
)

// RequestID names a request. It is never used again.
type RequestID uint64

// Request asks an interior router for a proxy: a link route that leads to whoever has asked for it, and ends with his
// connection. It is a request of AMQP management.
type Request struct {
	ID       RequestID
	Key      protocol.Key // what the proxy is for
	Identity string       // of the proxy that is to go, as the interior has told it; empty for one that is to come
	Edge     string       // who asks
	ReplyTo  string
}

// Append appends the request as a message.
func (q Request) Append(dst []byte) []byte {
	name, operation := q.Edge+"/proxyLinkRoute/"+string(q.Key), "CREATE"
	if q.Identity != "" {
		operation = "DELETE"
	}
	properties := amqp.Properties{ReplyTo: q.ReplyTo, CorrelationID: strconv.FormatUint(uint64(q.ID), 10)}
	application := amqp.BeginApplicationProperties(properties.Append(dst))
	application.String(propertyOperation, operation)
	application.String(propertyType, proxyType)
	application.String(propertyName, name)
	if q.Identity != "" {
		application.String(propertyIdentity, q.Identity)
	}
	body := amqp.BeginMap(amqp.AppendDescriptor(application.End(), amqp.DescriptorValue))
	if q.Identity == "" {
		pattern, direction := patternOf(q.Key)
		body.String(propertyType, proxyType)
		body.String(propertyName, name)
		body.String("pattern", pattern)
		body.String("direction", direction)
	}
	return body.End()
}

// isLinkRoute tells whether a key is for links that are routed, and not for messages.
func isLinkRoute(key protocol.Key) bool {
	switch key.Class() {
	case protocol.LinkRouteIn, protocol.LinkRouteOut, protocol.LinkPatternIn, protocol.LinkPatternOut:
		return true
	default:
		return false
	}
}

// patternOf gives the pattern that a key of a link route is for, and its direction. A prefix is one with anything behind it.
func patternOf(key protocol.Key) (pattern, direction string) {
	pattern, direction = key.Name(), "out"
	switch key.Class() {
	case protocol.LinkRouteIn:
		return pattern + "/#", "in"
	case protocol.LinkRouteOut:
		return pattern + "/#", "out"
	case protocol.LinkPatternIn:
		direction = "in"
	}
	return pattern, direction
}

// Response is what became of a Request.
type Response struct {
	ID       RequestID
	Done     bool   // so it is, or was so before: a proxy that was to go is not there
	Identity string // of the proxy that has come
}

// ParseResponse reads a response. The error is ErrMessage.
func ParseResponse(m amqp.Message) (Response, error) {
	properties, err := m.Properties()
	text, _ := properties.CorrelationID.(string)
	id, notNumber := strconv.ParseUint(text, 10, 64)
	code, ok := number(m, propertyCode)
	if err != nil || notNumber != nil || !ok {
		return Response{}, ErrMessage
	}
	r := Response{ID: RequestID(id)}
	switch code {
	case statusCreated:
		body, _ := m.Body().Value().Value().(amqp.Map)
		identity, _ := body.Get(propertyIdentity)
		r.Identity, _ = identity.(string)
		r.Done = r.Identity != ""
	case statusNoContent, statusAbsent:
		r.Done = true
	}
	return r, nil
}
