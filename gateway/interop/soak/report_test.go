//go:build interop

package soak

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what came out in the end.
type report struct {
	table    string
	failures []string
	faulty   bool
}

// close adds everything up. No client works any more.
func (l *ledger) close(starts []time.Duration) report {
	l.mu.Lock()
	defer l.mu.Unlock()
	var text strings.Builder
	sum := l.writeParties(&text)
	lost, torn := l.lost(), l.torn()
	fmt.Fprintf(&text, "\nlost %d, phantom %d, repeated without a mark %d, torn %d, client faults %d\n",
		lost, sum.phantoms+sum.settled, sum.unmarked, torn, l.faults)
	slices.Sort(starts)
	fmt.Fprintf(&text, "starts %d: median %v, longest %v\n", len(starts),
		starts[len(starts)/2].Round(time.Millisecond), starts[len(starts)-1].Round(time.Millisecond))
	return report{
		table: text.String(), failures: l.words,
		faulty: lost+sum.phantoms+sum.settled+sum.unmarked+torn+l.faults > 0,
	}
}

// writeParties writes a line for each protocol and one for all, which it gives.
func (l *ledger) writeParties(text *strings.Builder) (sum party) {
	w := tabwriter.NewWriter(text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "protocol\tsent\tacknowledged\tdelivered\tconfirmed\trepeated (marked)\t"+
		"unmarked\tafter settlement\tnever sent\t")
	sum.name = "all"
	for _, p := range l.parties {
		p.write(w)
		sum.sent += p.sent
		sum.acknowledged += p.acknowledged
		sum.delivered += p.delivered
		sum.confirmed += p.confirmed
		sum.repeated += p.repeated
		sum.unmarked += p.unmarked
		sum.settled += p.settled
		sum.phantoms += p.phantoms
	}
	sum.write(w)
	w.Flush()
	return sum
}

func (p *party) write(w *tabwriter.Writer) {
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", p.name,
		p.sent, p.acknowledged, p.delivered, p.confirmed, p.repeated, p.unmarked, p.settled, p.phantoms)
}

// lost counts the letters that are owed, and has words for the first.
func (l *ledger) lost() (n int) {
	for _, b := range l.books {
		n += b.owed
		for stream := range b.letters {
			for number, f := range b.letters[stream] {
				if f.owed() {
					l.say("%s: letter %d of publisher %d (%s) is lost; flags %06b",
						b.name, number, stream, l.streams[stream].party.name, f)
				}
			}
		}
	}
	return n
}

// torn counts the letters that arrived in some of the books that they were sent to at once, and not in others.
func (l *ledger) torn() (n int) {
	for _, s := range l.streams {
		if !s.whole {
			continue
		}
		for number := range s.next {
			seen := 0
			for _, b := range s.books {
				if *b.find(letter{s.id, number})&(seenFirst|seenLast) != 0 {
					seen++
				}
			}
			if seen != 0 && seen != len(s.books) {
				n++
				l.say("letter %d of publisher %d (%s) is in %d of %d places", number, s.id, s.party.name, seen, len(s.books))
			}
		}
	}
	return n
}
