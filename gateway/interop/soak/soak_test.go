//go:build interop

package soak

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

const (
	pace     = 100 * time.Millisecond // between two bursts of a publisher
	burst    = 5                      // letters that a publisher has in flight at once
	backlog  = 2000                   // letters of one book that are owed before its publishers pause
	window   = 20                     // letters that a consumer has at once
	holds    = 10                     // the most of them that a consumer keeps unsettled
	patience = time.Minute            // for what takes milliseconds; then it does not come at all
)

// configuration has the addresses of the cast, on free ports.
const configuration = `
anonymous: true
log: {level: warn}
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
addresses:
  - {name: jobs, kind: queue}
  - {name: news, kind: topic}
  - {name: work, kind: queue, maxDeliveries: 3, deadLetter: dead}
  - {name: dead, kind: queue, consumeOnly: true}
  - {name: todo, kind: queue}
  - {name: done, kind: queue}
`

// TestKillsLoseNothing kills the process at random instants while clients of every protocol work, for as long as
// MANIFOLD_SOAK says and as often as MANIFOLD_KILLS says. In its last life everything is consumed. What was acknowledged has
// to have been delivered, and nothing again without a mark, or at all once its settlement was confirmed.
func TestKillsLoseNothing(t *testing.T) {
	length := setting(t, "MANIFOLD_SOAK", time.Minute, time.ParseDuration)
	rate := setting(t, "MANIFOLD_KILLS", 5, strconv.Atoi)
	seed := setting(t, "MANIFOLD_SEED", time.Now().UnixNano(), func(text string) (int64, error) {
		return strconv.ParseInt(text, 10, 64)
	})
	s := &soak{t: t, program: gatewaytest.Build(t, configuration), ledger: new(ledger)}
	s.workers = cast(s.ledger)
	s.run(instants(length, rate, rand.New(rand.NewPCG(uint64(seed), 0))))
	s.finish()
	r := s.ledger.close(s.starts)
	t.Logf("%v with %d kills, seed %d\n%s", length, s.kills, seed, r.table)
	for _, words := range r.failures {
		t.Error(words)
	}
	if r.faulty {
		t.Error("the gateway broke its promises")
	}
}

// setting reads a value from the environment.
func setting[T any](t *testing.T, name string, otherwise T, parse func(string) (T, error)) T {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	v, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// instants draws when the process is killed, from the begin of the test. Every fourth kill comes so soon after another
// that it is likely to find the process still starting.
func instants(length time.Duration, perMinute int, random *rand.Rand) []time.Duration {
	const start = 200 * time.Millisecond
	all := make([]time.Duration, max(1, int(length.Minutes()*float64(perMinute))))
	for i := range all {
		if all[i] = time.Duration(random.Int64N(int64(length))); i%4 == 3 {
			all[i] = all[i-1] + time.Duration(random.Int64N(int64(start)))
		}
	}
	slices.Sort(all)
	return all
}

// soak is the course of the test: the lives of the process, and what outlives each of them.
type soak struct {
	t       *testing.T
	program gatewaytest.Program
	ledger  *ledger
	workers []worker
	kills   int
	starts  []time.Duration // how long each took that was not interrupted
}

// run lets the process live from kill to kill.
func (s *soak) run(kills []time.Duration) {
	begin := time.Now()
	for _, instant := range kills {
		p := s.program.Launch(s.t)
		c := hire(p, s.workers, s.ledger, false)
		p.Live(s.t, time.Until(begin.Add(instant)))
		s.kill(p, c)
	}
}

// kill ends a life.
func (s *soak) kill(p *gatewaytest.Process, c *crew) {
	c.expectKill()
	p.Kill(s.t)
	c.wait()
	s.kills++
	if c.start > 0 {
		s.starts = append(s.starts, c.start)
	}
}

// finish is the last life, in which everything is consumed.
func (s *soak) finish() {
	p := s.program.Launch(s.t)
	c := hire(p, s.workers, s.ledger, true)
	defer s.kill(p, c)
	if err := p.Await(c.opened, patience); err != nil {
		s.t.Fatalf("waiting for the clients to get in: %v", err)
	}
	s.drain(c.doors["admin"])
}
