package management

import (
	"context"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Rights are what somebody may do with a Model.
type Rights struct {
	Read   bool // ask for entities
	Change bool // create, update and delete them
}

// Answer does what a request asks for, and gives the answer: a message to where the request says, with its
// correlation-id, or else its message-id. The encoded answer is not larger than room. The request's properties can be read:
// who hands it over has made sure of that.
func Answer(ctx context.Context, m Model, may Rights, request amqp.Message, room int) amqp.Message {
	status, body, err := handle(ctx, m, may, request, room)
	if err == nil {
		if answer := encode(request, status, descriptions[status], body); answer.Len() <= room {
			return answer
		}
		err = errTooLarge
	}
	status, description := statusOf(err)
	return encode(request, status, description, amqp.Map{})
}

// Refusal tells why an answer says no, and whether it does.
func Refusal(answer amqp.Message) (why string, ok bool) {
	status, _ := answer.ApplicationProperty("statusCode")
	if code, _ := status.(int32); code < statusBadRequest {
		return "", false
	}
	text, _ := answer.ApplicationProperty("statusDescription")
	why, _ = text.(string)
	return why, true
}

// descriptions are those of what went well.
var descriptions = map[int]string{statusOK: "OK", statusCreated: "Created", statusNoContent: "No Content"}

// encode writes an answer.
func encode(request amqp.Message, status int, description string, body any) amqp.Message {
	asked, _ := request.Properties()
	p := amqp.Properties{To: asked.ReplyTo, CorrelationID: asked.CorrelationID}
	if p.CorrelationID == nil {
		p.CorrelationID = asked.MessageID
	}
	properties := amqp.BeginApplicationProperties(p.Append(nil))
	properties.Int("statusCode", int32(status))
	properties.String("statusDescription", description)
	out, err := amqp.AppendValue(properties.End(), body)
	if err != nil {
		panic(err) // it is made of what there is an encoding for
	}
	return amqp.Trusted(out)
}

// call is a request that is being done.
type call struct {
	request
	naming
	model Model
	room  int // bytes of the body
}

func handle(ctx context.Context, m Model, may Rights, message amqp.Message, room int) (status int, body any, err error) {
	if !may.Read {
		return 0, nil, faultf(statusForbidden, "this needs the right manage or admin at #")
	}
	q, err := parseRequest(message)
	if err != nil {
		return 0, nil, err
	}
	c := &call{request: q, model: m, room: room}
	if changing[q.operation] && !may.Change {
		return 0, nil, faultf(statusForbidden, "this needs the right admin")
	}
	return c.do(ctx)
}

// changing are the operations that change something.
var changing = map[string]bool{"CREATE": true, "UPDATE": true, "DELETE": true}

var errTooLarge = fault{statusTooLarge, "the answer would be too large: ask for less at a time, by count and offset"}

// do does an operation of an entity, or of the management node itself.
func (c *call) do(ctx context.Context) (status int, body any, err error) {
	switch c.operation {
	case "CREATE":
		return c.create(ctx)
	case "READ":
		return c.read()
	case "UPDATE":
		return c.update(ctx)
	case "DELETE":
		return c.delete(ctx)
	}
	if c.operation == "QUERY" && c.entityType == "" && c.target != "" && c.split(c.target) != managementType {
		c.entityType, c.target = c.target, "" // some clients say so which entities they want
	}
	if err := c.isForSelf(); err != nil {
		return 0, nil, err
	}
	switch c.operation {
	case "QUERY":
		body, err = c.query()
	case "GET-TYPES":
		body, err = c.getTypes()
	case "GET-ATTRIBUTES":
		body, err = c.getAttributes()
	case "GET-OPERATIONS":
		body, err = c.getOperations()
	case "GET-ANNOTATIONS":
		body = amqp.Map{}
	case "GET-MGMT-NODES":
		body = c.getMgmtNodes()
	case "GET-LOG":
		body = c.getLog()
	case "GET-SCHEMA":
		body = c.getSchema()
	case "GET-JSON-SCHEMA":
		body, err = c.getJSONSchema()
	default:
		return 0, nil, faultf(statusNotImplemented, "operation %.40q is not implemented", c.operation)
	}
	return statusOK, body, err
}

// isForSelf makes sure that a request which no entity knows is for the management node.
func (c *call) isForSelf() error {
	if c.target == "" && c.name == "" && c.identity == "" {
		return nil
	}
	t, _, err := c.entity()
	if err == nil && t != selfType {
		return faultf(statusNotImplemented, "operation %.40q is not implemented for %q", c.operation, t.name)
	}
	return err
}
