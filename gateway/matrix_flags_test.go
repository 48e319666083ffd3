package gateway

import (
	"net/http"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

// TestRetainedMessageIsToldAsSuch: who comes after a message that a topic keeps hears it, and that it was kept where his
// protocol has a place for that.
func TestRetainedMessageIsToldAsSuch(t *testing.T) {
	doors := startMatrix(t)
	topic := lane{kind: addressing.Topic, stores: true}
	for i, from := range senderKinds {
		if from.column.places[retain].sent.form == nil {
			continue
		}
		t.Run("from "+from.name, func(t *testing.T) {
			t.Parallel()
			c := newCell(t, doors, topic, i)
			l := from.addressed(fields{dataBody: "kept", retain: true}, c.address)
			s := from.open(t, c)
			if err := <-s.send(c.address, l); err != nil {
				t.Fatal(err)
			}
			if err := s.roundTrip(); err != nil {
				t.Fatal(err)
			}
			for _, to := range receiverKinds {
				if !to.attached {
					continue // it begins with what comes while it waits
				}
				t.Run("to "+to.name, func(t *testing.T) {
					c := newCell(t, doors, topic, i)
					c.attach(t, to)
					c.hearOne(t, to.gets(from.column.sends(l)))
				})
			}
		})
	}
}

// TestEarlierTryIsTold: who gets a message from a queue that somebody else could not deal with hears of that, where his
// protocol has a place for it.
func TestEarlierTryIsTold(t *testing.T) {
	doors := startMatrix(t)
	from := senderKind{column: &jsonColumn, open: newHTTPSender(writeDraft, "")}
	for i, to := range receiverKinds {
		t.Run("to "+to.name, func(t *testing.T) {
			t.Parallel()
			c := newCell(t, doors, lane{kind: addressing.Queue, stores: true}, i)
			c.from = from
			l := from.addressed(fields{dataBody: "once more"}, c.address)
			if err := <-from.open(t, c).send(c.address, l); err != nil {
				t.Fatal(err)
			}
			c.failOnce(t)
			c.attach(t, to)
			kept := from.column.sends(l)
			kept[deliveryCount] = uint32(1)
			c.hearOne(t, to.gets(kept))
		})
	}
}

// failOnce receives a message under a lock, and says that it could not be dealt with.
func (c *cell) failOnce(t *testing.T) {
	t.Helper()
	p, err := c.http.ask(c.ctx, http.MethodPost, pathOf("default", c.source, "messages/head?timeout=60"), nil, nil)
	if err != nil || p.code != http.StatusOK {
		t.Fatalf("receiving gave status %d, %v", p.code, err)
	}
	p, err = c.http.ask(c.ctx, http.MethodPut, p.header.Get("Location")+"?failed=true", nil, nil)
	if err != nil || p.code != http.StatusNoContent {
		t.Fatalf("giving it back gave status %d, %v", p.code, err)
	}
}

// hearOne receives one message and takes leave.
func (c *cell) hearOne(t *testing.T, want fields) {
	t.Helper()
	if lost := difference(c.await(t, c.receiver.next()), want); lost != "" {
		t.Errorf("it arrived otherwise:%s", lost)
	}
	if err := c.receiver.settle(); err != nil {
		t.Error(err)
	}
	if err := c.receiver.leave(); err != nil {
		t.Error(err)
	}
}

// TestMatrixCoversTheMapping: every field of every column is said by some sender.
func TestMatrixCoversTheMapping(t *testing.T) {
	// Which have tests of their own, or come with each message.
	said := fields{retain: true, deliveryCount: true, subscriptionID: true}
	for _, from := range senderKinds {
		for _, l := range letters() {
			for f := range from.column.sends(from.addressed(l, "a")) {
				said[f] = true
			}
		}
	}
	for _, c := range []*column{&amqpColumn, &mqtt3Column, &mqtt5Column, &stompColumn, &httpColumn, &jsonColumn, &coapColumn} {
		known := 0
		for _, f := range rows {
			p, ok := c.places[f]
			if !ok {
				continue
			}
			known++
			if (p.sent.form != nil || p.got.form != nil) && said[f] == nil {
				t.Errorf("%s: nobody says anything in the field %s", c.title, f)
			}
		}
		if known != len(c.places) {
			t.Errorf("%s: %d fields have no row", c.title, len(c.places)-known)
		}
	}
}
