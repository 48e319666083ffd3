package stat

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// What top asks for.
var (
	topRouter = []string{
		"id", "metadata", "uptimeSeconds", "memoryUsage", "connectionCount", "linkCount", "deliveriesIngress", "deliveriesEgress",
	}
	topAddresses = []string{"name", "kind", "subscriberCount", "messages", "trackedDeliveries", "deliveriesIngress", "deliveriesEgress"}
)

// top shows the busiest addresses, again and again.
type top struct {
	management *management
	most       int // addresses that are asked for

	before sample
}

// sample is what a gateway has told at one time.
type sample struct {
	at        time.Time
	router    []any
	addresses []busy
	in, out   int64 // messages of the tenant so far
}

// busy is an address, and how busy it is.
type busy struct {
	name      string
	kind      string
	consumers int64
	stored    int64
	held      int64
	in, out   int64 // messages so far

	inRate, outRate float64 // a second
}

// look asks the gateway once.
func (t *top) look(ctx context.Context) (s sample, err error) {
	router, err := t.management.query(ctx, "router", topRouter, 1)
	if err != nil {
		return s, err
	}
	if len(router.rows) == 0 {
		return s, fmt.Errorf("%s tells nothing about itself", managementAddress)
	}
	s.router = router.rows[0]
	s.in, s.out = whole(s.router[6]), whole(s.router[7])
	addresses, err := t.management.query(ctx, "router.address", topAddresses, t.most)
	if err != nil {
		return s, err
	}
	s.at = time.Now()
	for _, row := range addresses.rows {
		s.addresses = append(s.addresses, busy{
			name: asAddress.show(row[0]), kind: asText.show(row[1]), consumers: whole(row[2]), stored: whole(row[3]),
			held: whole(row[4]), in: whole(row[5]), out: whole(row[6]),
		})
	}
	return s, nil
}

// since works out how busy each address has been since an earlier sample, and puts the busiest first.
func (s *sample) since(before sample) (inRate, outRate float64) {
	seconds := s.at.Sub(before.at).Seconds()
	if before.at.IsZero() || seconds <= 0 {
		return 0, 0
	}
	known := make(map[string]busy, len(before.addresses))
	for _, b := range before.addresses {
		known[b.name] = b
	}
	for i := range s.addresses {
		b := &s.addresses[i]
		if was, ok := known[b.name]; ok {
			b.inRate, b.outRate = rate(was.in, b.in, seconds), rate(was.out, b.out, seconds)
		}
	}
	slices.SortStableFunc(s.addresses, func(a, b busy) int {
		return cmp.Or(cmp.Compare(b.inRate+b.outRate, a.inRate+a.outRate), cmp.Compare(b.stored, a.stored))
	})
	return rate(before.in, s.in, seconds), rate(before.out, s.out, seconds)
}

// rate is how much came a second; what has begun anew came from nothing.
func rate(before, now int64, seconds float64) float64 { return float64(max(0, now-before)) / seconds }

// show looks once, and writes what it sees in at most so many lines.
func (t *top) show(ctx context.Context, w io.Writer, lines int) error {
	s, err := t.look(ctx)
	if err != nil {
		return err
	}
	in, out := s.since(t.before)
	t.before = s
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  up %s  memory %s\n", asText.show(s.router[0]), asText.show(s.router[1]),
		asDuration.show(s.router[2]), asBytes.show(s.router[3]))
	fmt.Fprintf(&b, "%d connections  %d links  %.0f messages/s in  %.0f deliveries/s out\n\n",
		whole(s.router[4]), whole(s.router[5]), in, out)
	const head = 4 // lines above the first address
	rows := [][]string{{"ADDRESS", "KIND", "CONSUMERS", "STORED", "HELD", "IN/S", "OUT/S", "IN", "OUT"}}
	for _, a := range s.addresses[:min(len(s.addresses), max(0, lines-head))] {
		rows = append(rows, []string{
			a.name, a.kind, fmt.Sprint(a.consumers), fmt.Sprint(a.stored), fmt.Sprint(a.held),
			fmt.Sprintf("%.0f", a.inRate), fmt.Sprintf("%.0f", a.outRate), fmt.Sprint(a.in), fmt.Sprint(a.out),
		})
	}
	if err := writeColumns(&b, rows, []bool{false, false, true, true, true, true, true, true, true}); err != nil {
		return err
	}
	_, err = io.WriteString(w, b.String())
	return err
}
