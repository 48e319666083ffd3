package main_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mochi-mqtt/server/v2/packets"
)

// inFlight is how many unacknowledged publishes a publisher has at once.
const inFlight = 32

// endless is more messages than a life has time for.
const endless = math.MaxInt

// load is what clients do in one life of the process.
type load struct {
	ledger     *ledger
	running    sync.WaitGroup // all clients
	publishing sync.WaitGroup // those that publish
	begin      sync.Once
	begun      chan struct{} // closed at the first acknowledgement
	published  chan struct{} // closed when all publishers have ended
	killed     atomic.Bool   // connections may come to an end
}

func newLoad(l *ledger) *load {
	return &load{ledger: l, begun: make(chan struct{}), published: make(chan struct{})}
}

// consume lets a consumer work until its connection ends.
func (l *load) consume(c *client, hold int) {
	l.running.Go(func() { l.end("a consumer", c, consume(c, l.ledger, hold)) })
}

// publish lets a publisher work until its connection ends, or more new messages have been acknowledged.
func (l *load) publish(c *client, p *publisher, more int) {
	l.publishing.Add(1)
	l.running.Go(func() {
		defer l.publishing.Done()
		err := p.run(c, more, func() { l.begin.Do(func() { close(l.begun) }) })
		l.end("a publisher", c, err)
	})
}

func (l *load) awaitPublishers() {
	l.publishing.Wait()
	close(l.published)
}

// end takes in why a client has ended. That its connection has is no wonder once the process is killed.
func (l *load) end(who string, c *client, err error) {
	c.nc.Close()
	if err != nil && !(errors.Is(err, errEnded) && l.killed.Load()) {
		l.ledger.fault(fmt.Errorf("%s: %w", who, err))
	}
}

// consume reads what comes, and acknowledges all but the first hold messages.
func consume(c *client, l *ledger, hold int) error {
	var last positions
	for {
		m, err := c.receive(packets.Publish)
		if err != nil {
			return err
		}
		p, ok := decode(m.Payload)
		if !ok || m.FixedHeader.Qos != 1 {
			return fmt.Errorf("%v: %d bytes with QoS %d are not what was sent", p, len(m.Payload), m.FixedHeader.Qos)
		}
		l.delivered(p, m.FixedHeader.Dup, &last)
		if hold > 0 {
			hold--
			continue
		}
		l.settled(p)
		c.acknowledge(m.PacketID)
		if c.idle() {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
}

// publisher sends numbered messages, and after a kill sends again what it was not told yes for.
type publisher struct {
	number uint32
	ledger *ledger
	again  []uint32 // messages without an acknowledgement, oldest first
	last   uint32   // the newest message
}

// run sends what is to be sent again, and then more new messages, several at a time. It returns when all of it is
// acknowledged.
func (p *publisher) run(c *client, more int, acknowledged func()) error {
	waiting := make(map[uint16]publication)
	defer func() { p.remember(waiting) }()
	for {
		for len(waiting) < inFlight && (len(p.again) > 0 || more > 0) {
			if len(p.again) == 0 {
				p.last++
				p.again = append(p.again, p.last)
				more--
			}
			sent := p.ledger.sent(p.number, p.again[0])
			p.again = p.again[1:]
			id := uint16(sent.Attempt%math.MaxUint16) + 1
			waiting[id] = sent
			c.publish("jobs", id, sent.encode())
		}
		if len(waiting) == 0 {
			return nil
		}
		if err := c.flush(); err != nil {
			return err
		}
		if err := p.hear(c, waiting); err != nil {
			return err
		}
		acknowledged()
	}
}

// hear waits for an acknowledgement, and takes in all that have come.
func (p *publisher) hear(c *client, waiting map[uint16]publication) error {
	for {
		answer, err := c.receive(packets.Puback)
		if err != nil {
			return err
		}
		sent, ok := waiting[answer.PacketID]
		if !ok || answer.ReasonCode != 0 {
			return fmt.Errorf("PUBACK %#x for packet %d (%v)", answer.ReasonCode, answer.PacketID, sent)
		}
		delete(waiting, answer.PacketID)
		p.ledger.acknowledged(sent)
		if c.idle() {
			return nil
		}
	}
}

// remember keeps what was not acknowledged, for the next life.
func (p *publisher) remember(waiting map[uint16]publication) {
	again := make([]uint32, 0, len(waiting)+len(p.again))
	for _, w := range waiting {
		again = append(again, w.Message)
	}
	slices.Sort(again)
	p.again = append(again, p.again...)
}
