package dtls

import "time"

// pace spaces out what takes long, so that whoever has it done over and over does not keep the others waiting.
type pace struct{ next time.Time } // when one more is on time

// burst is how much may come at once, as the time that it would take at the pace.
const burst = 100 * time.Millisecond

// allows tells whether one more may be done now, of so many in a second.
func (p *pace) allows(now time.Time, perSecond int) bool {
	if earliest := now.Add(-burst); p.next.Before(earliest) {
		p.next = earliest
	}
	if p.next.After(now) {
		return false
	}
	p.next = p.next.Add(time.Second / time.Duration(perSecond))
	return true
}
