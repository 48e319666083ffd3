package stat

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/cmd/manifold/internal/client"
)

const (
	managementAddress = "$management"
	typePrefix        = "org.apache.qpid.dispatch."
	page              = 500 // entities of one request
	statusOK          = 200
)

// management asks the management node of a server. It is used by one goroutine.
type management struct {
	where    *client.Connection
	patience time.Duration // for each answer

	conn     *amqp.Conn
	requests *amqp.Sender
	answers  *amqp.Receiver
	asked    int // so many so far
}

// openManagement connects. The caller closes it.
func openManagement(ctx context.Context, where *client.Connection, patience time.Duration) (*management, error) {
	conn, session, err := where.Open(ctx, patience)
	if err != nil {
		return nil, err
	}
	m := &management{where: where, patience: patience, conn: conn}
	if err = m.link(ctx, session); err == nil {
		err = m.checkTenant(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return m, nil
}

// checkTenant makes sure that it is the tenant that is meant which answers: a server that knows no tenant by that name
// takes it for the name of a machine.
func (m *management) checkTenant(ctx context.Context) error {
	wanted := m.where.Tenant()
	if wanted == "" {
		return nil
	}
	t, err := m.query(ctx, "router", []string{"metadata"}, 1)
	if err != nil {
		return err
	}
	if len(t.rows) == 0 || t.rows[0][0] != "tenant "+wanted {
		return fmt.Errorf("%s has not let this client into a tenant %q", m.where.Name(), wanted)
	}
	return nil
}

// link makes the links for requests and for answers.
func (m *management) link(ctx context.Context, session *amqp.Session) (err error) {
	ctx, cancel := context.WithTimeout(ctx, m.patience)
	defer cancel()
	if m.requests, err = session.NewSender(ctx, managementAddress, nil); err != nil {
		return m.where.Fault(err, managementAddress, m.patience)
	}
	m.answers, err = session.NewReceiver(ctx, "", &amqp.ReceiverOptions{DynamicAddress: true, Credit: 1})
	if err != nil {
		return m.where.Fault(err, "the address for answers", m.patience)
	}
	return nil
}

func (m *management) close() { m.conn.Close() }

// table is entities of one type: the values of their attributes, row by row.
type table struct {
	attributes []string
	rows       [][]any
}

// query asks for attributes of the entities of a type, at most so many; 0 is all of them.
func (m *management) query(ctx context.Context, entityType string, attributes []string, most int) (table, error) {
	t := table{attributes: attributes}
	names := make([]any, len(attributes))
	for i, name := range attributes {
		names[i] = name
	}
	for {
		count := page
		if most > 0 {
			count = min(page, most-len(t.rows))
		}
		answer, err := m.ask(ctx, map[string]any{
			"operation": "QUERY", "type": "org.amqp.management", "name": "self", "entityType": typePrefix + entityType,
			"offset": int32(len(t.rows)), "count": int32(count),
		}, map[string]any{"attributeNames": names})
		if err != nil {
			return t, fmt.Errorf("%s: %w", entityType, err)
		}
		rows, err := rowsOf(answer, len(attributes))
		if err != nil {
			return t, fmt.Errorf("%s: %w", entityType, err)
		}
		t.rows = append(t.rows, rows...)
		if len(rows) < count || len(t.rows) == most {
			return t, nil
		}
	}
}

// ask sends a request and gives the body of its answer.
func (m *management) ask(ctx context.Context, properties, body map[string]any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, m.patience)
	defer cancel()
	m.asked++
	id, to := strconv.Itoa(m.asked), m.answers.Address()
	request := &amqp.Message{
		Properties:            &amqp.MessageProperties{CorrelationID: id, ReplyTo: &to},
		ApplicationProperties: properties, Value: body,
	}
	if err := m.requests.Send(ctx, request, nil); err != nil {
		return nil, m.where.Fault(err, managementAddress, m.patience)
	}
	answer, err := m.answers.Receive(ctx, nil)
	if err == nil {
		err = m.answers.AcceptMessage(ctx, answer)
	}
	if err != nil {
		return nil, m.where.Fault(err, managementAddress, m.patience)
	}
	if code := answer.ApplicationProperties["statusCode"]; whole(code) != statusOK {
		return nil, fmt.Errorf("%v %v", code, answer.ApplicationProperties["statusDescription"])
	}
	return answer.Value, nil
}

// rowsOf reads the answer to a query.
func rowsOf(answer any, width int) (rows [][]any, err error) {
	body, _ := answer.(map[string]any)
	results, ok := body["results"].([]any)
	if !ok {
		return nil, errors.New("the answer has no results")
	}
	for _, result := range results {
		row, ok := result.([]any)
		if !ok || len(row) != width {
			return nil, fmt.Errorf("a result is not a list of %d values", width)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// whole gives a number of any type; what is none is 0.
func whole(value any) int64 {
	switch v := value.(type) {
	case int64:
		return v
	case int32:
		return int64(v)
	case uint64:
		return int64(v)
	case uint32:
		return int64(v)
	case int:
		return int64(v)
	}
	return 0
}
