package load

import (
	"fmt"
	"math"
	"net"
	"sync/atomic"
	"time"
)

// unlimited is the goal of a publisher that writes until it is stopped.
const unlimited = math.MaxUint64

// publisher writes numbered messages as far as its gate allows. One goroutine runs publish; with QoS 1 a second
// one runs readAcks. The atomics are read by the run.
type publisher struct {
	conn  net.Conn
	plate *plate
	gate  *gate
	batch int
	rate  float64   // messages per second, 0 for no limit
	epoch time.Time // what the times in payloads count from

	goal atomic.Uint64 // messages to send in all
	sent atomic.Uint64 // messages given to the socket, counted just before writing

	acked     atomic.Uint64
	ackMeter  *meter // nil with QoS 0
	ackReader *batchReader
	lowest    uint64          // the lowest message without acknowledgement
	ahead     [maxWindow]bool // acknowledged messages above lowest, by number modulo maxWindow
	acksTwice uint64
}

// publish writes until the goal is reached or stop closes.
func (p *publisher) publish(stop <-chan struct{}) error {
	pace := newPace(p.rate, p.sent.Load())
	for {
		sent, goal := p.sent.Load(), p.goal.Load()
		if sent >= goal {
			return nil
		}
		due, ok := pace.wait(stop, sent)
		if !ok {
			return nil
		}
		n := min(uint64(p.batch), goal-sent, due)
		if _, ok := p.gate.wait(stop, sent+n); !ok {
			return nil
		}
		packets := p.plate.print(int(n), sent, time.Since(p.epoch))
		p.sent.Store(sent + n)
		if _, err := p.conn.Write(packets); err != nil {
			return err
		}
	}
}

// readAcks takes PUBACKs until the connection ends.
func (p *publisher) readAcks() error {
	for {
		if err := p.ackReader.fill(p.noteAck); err != nil {
			return err
		}
		p.ackMeter.advance(p.lowest)
	}
}

// noteAck enters one PUBACK. Servers must answer in order [MQTT-4.6.0-2], but the window stays right if one does not.
func (p *publisher) noteAck(f frame) error {
	if f.first&typeMask != packetPuback {
		return fmt.Errorf("packet of type %#x instead of PUBACK", f.first)
	}
	id, err := f.packetID()
	if err != nil {
		return err
	}
	slot := uint64(id) - 1
	s := p.lowest + (slot+maxWindow-p.lowest%maxWindow)%maxWindow
	if id == 0 || s >= p.sent.Load() || p.ahead[slot] {
		p.acksTwice++
		return nil
	}
	p.acked.Add(1)
	p.ahead[slot] = true
	for p.ahead[p.lowest%maxWindow] {
		p.ahead[p.lowest%maxWindow] = false
		p.lowest++
	}
	return nil
}

// arrived says whether everything up to the goal is sent and every reader has come to its end.
func (p *publisher) arrived() bool {
	sent := p.sent.Load()
	if sent < p.goal.Load() {
		return false
	}
	for _, m := range p.gate.meters {
		if m.value.Load() < sent {
			return false
		}
	}
	return true
}
