package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// configuration is one queue, and free ports.
const configuration = `
anonymous: true
log: {level: warn}
mqtt: {port: 0, webSocket: {port: 0}}
amqp: {port: 0}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {enabled: false}
addresses:
  - {name: jobs, kind: queue}
`

// What works on the queue while the process is killed.
const (
	publishers = 8
	consumers  = 4
)

// Bounds on how long a life of the process takes.
const (
	longestLoad = 150 * time.Millisecond // from the first acknowledgement to the kill
	longestBoot = 40 * time.Millisecond  // until a start is killed, when it is
	patience    = 30 * time.Second       // for what takes milliseconds; then it does not come at all
)

// TestKillLosesNothing kills the process at random instants while 8 publishers and 4 consumers work on a queue, and
// starts it again on the same data. What has to hold then:
//
//   - What was acknowledged to a publisher is delivered, and what a consumer has not acknowledged comes again.
//   - What a consumer has read before, in an earlier life of the process, carries DUP when it comes again. More may
//     carry it: DUP says that somebody may have seen the message.
//   - On one consumer's connection the messages of one publisher come in the order in which they were published. What
//     comes without DUP also lies behind everything of that publisher that was read in an earlier life.
//   - Nothing comes that was not sent, and nothing comes twice while nobody gave it back.
//
// A publish that is sent again after a kill, because no PUBACK came, is a message of its own for the gateway; the test
// tells them apart by the number of the attempt. MANIFOLD_CRASHES sets how many instants there are, MANIFOLD_SEED which.
func TestKillLosesNothing(t *testing.T) {
	instants := setting(t, "MANIFOLD_CRASHES", 20)
	seed := setting(t, "MANIFOLD_SEED", uint64(time.Now().UnixNano()))
	tr := newTrial(t, seed)
	for range instants {
		tr.crash()
	}
	tr.finish()
	report, failures := tr.ledger.summary()
	t.Logf("instants %d, %s, seed %d; restart: median %v, longest %v", instants, report, seed,
		tr.starts[len(tr.starts)/2].Round(time.Millisecond), tr.starts[len(tr.starts)-1].Round(time.Millisecond))
	for _, failure := range failures {
		t.Error(failure)
	}
	if report.faulty() {
		t.Error("the gateway broke its promises")
	}
	if instants >= 20 && report.redelivered == 0 {
		t.Error("nothing was delivered twice, so marks were not tested")
	}
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		t.Fatalf("%s is %q, not a number above 0", name, text)
	}
	return n
}

// trial is the course of the test: the lives of the process, and what outlives each of them.
type trial struct {
	t          *testing.T
	program    gatewaytest.Program
	random     *rand.Rand
	ledger     *ledger
	publishers [publishers]*publisher
	doors      map[string]string // of this life: host:port by name
	starts     []time.Duration   // how long each took
}

func newTrial(t *testing.T, seed uint64) *trial {
	tr := &trial{t: t, program: gatewaytest.Build(t, configuration), random: rand.New(rand.NewPCG(seed, seed)), ledger: new(ledger)}
	for i := range tr.publishers {
		tr.publishers[i] = &publisher{number: uint32(i), ledger: tr.ledger}
	}
	return tr
}

// crash lets the process live under load up to a random instant, and now and then kills the start before it as well.
func (tr *trial) crash() {
	if tr.random.IntN(4) == 0 {
		tr.interruptStart()
	}
	hold := tr.holds()
	lifetime := time.Millisecond + time.Duration(tr.random.Int64N(int64(longestLoad)))
	p := tr.start()
	l := tr.load(p, endless, hold)
	tr.await(p, l.begun, "an acknowledgement")
	p.Live(tr.t, lifetime)
	tr.kill(p, l)
}

// holds draws how many deliveries each consumer leaves without an acknowledgement in a life: often none, often a few,
// and now and then all of them leave all, so that a backlog grows.
func (tr *trial) holds() (hold [consumers]int) {
	backlog := tr.random.IntN(4) == 0
	for i := range hold {
		if hold[i] = max(0, tr.random.IntN(200)-100); backlog {
			hold[i] = endless
		}
	}
	return hold
}

// interruptStart kills the process while it recovers.
func (tr *trial) interruptStart() {
	p := tr.program.Launch(tr.t)
	p.Live(tr.t, time.Duration(tr.random.Int64N(int64(longestBoot))))
	p.Kill(tr.t)
}

// finish is the last life: all that is owed is delivered, until the queue is empty. Some new messages come behind all
// others, so that everything before them has been handed out when they have.
func (tr *trial) finish() {
	p := tr.start()
	l := tr.load(p, inFlight, [consumers]int{})
	tr.await(p, l.published, "the publishers")
	select {
	case <-tr.ledger.complete():
	case <-time.After(patience):
		tr.t.Error("what is owed does not come")
	}
	answer, err := http.Post("http://"+tr.doors["http"]+"/v1/default/jobs/messages/head", "", nil)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		tr.t.Errorf("receiving from the queue gives status %d, want an empty queue", answer.StatusCode)
	}
	tr.kill(p, l)
	slices.Sort(tr.starts)
}

func (tr *trial) start() *gatewaytest.Process {
	tr.t.Helper()
	begin := time.Now()
	p := tr.program.Launch(tr.t)
	doors, err := p.Ready()
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.doors = doors
	tr.starts = append(tr.starts, time.Since(begin))
	tr.ledger.begin()
	return p
}

// await waits for something that the process has to bring about.
func (tr *trial) await(p *gatewaytest.Process, done <-chan struct{}, what string) {
	tr.t.Helper()
	if err := p.Await(done, patience); err != nil {
		_, failures := tr.ledger.summary()
		tr.t.Fatalf("waiting for %s: %v; %q", what, err, failures)
	}
}

// kill ends the process, and waits until its clients have read what it had still sent.
func (tr *trial) kill(p *gatewaytest.Process, l *load) {
	l.killed.Store(true)
	p.Kill(tr.t)
	l.running.Wait()
}

// load connects all clients and lets them work. Each publisher sends up to more new messages, and each consumer leaves
// its first deliveries, as many as hold says, without an acknowledgement. It gets no more than mqtt.queueCredit of those.
func (tr *trial) load(p *gatewaytest.Process, more int, hold [consumers]int) *load {
	tr.t.Helper()
	l := newLoad(tr.ledger)
	for i := range consumers {
		c := tr.connect(p, fmt.Sprintf("consumer-%d", i), i)
		if err := c.subscribe("jobs"); err != nil {
			tr.t.Fatal(err)
		}
		l.consume(c, hold[i])
	}
	var connected [publishers]*client
	for i := range connected {
		connected[i] = tr.connect(p, fmt.Sprintf("publisher-%d", i), i)
	}
	for i, c := range connected {
		l.publish(c, tr.publishers[i], more)
	}
	l.running.Go(l.awaitPublishers)
	return l
}

// connect gives a client of MQTT 3.1.1 or 5, by turns.
func (tr *trial) connect(p *gatewaytest.Process, id string, turn int) *client {
	tr.t.Helper()
	c, err := dial(tr.doors["mqtt"], byte(4+turn%2), id)
	if err != nil {
		tr.t.Fatal(err)
	}
	return c
}
