package load

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// coapConfig is a run of some endpoints that soon send again.
func coapConfig(address string) Config {
	return Config{Protocol: CoAP, Address: address, Layout: Mesh, Topic: "a/b", Publishers: 3, PublishQoS: 1, Messages: 400,
		PayloadSize: 64, Patience: longPatience, AckTimeout: 50 * time.Millisecond}
}

func TestEveryCoAPRequestIsCountedOnce(t *testing.T) {
	f := new(fakeDevice)
	r, err := Run(t.Context(), coapConfig(f.start(t)))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Sound() || r.Acknowledged != 1200 || r.Published != 1200 {
		t.Errorf("a correct server was blamed: %+v", r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.paths["POST /a/b"]; n < 1200 || len(f.paths) != 1 {
		t.Errorf("requests %v", f.paths)
	}
}

func TestCoAPRequestsAreSentAgain(t *testing.T) {
	f := &fakeDevice{answers: func(n int, m message.Message) []message.Message {
		if n%3 == 0 {
			return nil
		}
		return []message.Message{piggybacked(m, codes.Changed)}
	}}
	c := coapConfig(f.start(t))
	c.Messages = 100
	r, err := Run(t.Context(), c)
	if err != nil || !r.Sound() || r.Acknowledged != 300 || r.Repeated < 100 {
		t.Errorf("%+v, %v", r, err)
	}
}

// An answer may come on its own, with an acknowledgement before it.
func TestSeparateAnswersAreAcknowledged(t *testing.T) {
	f := &fakeDevice{answers: func(n int, m message.Message) []message.Message {
		return []message.Message{
			{Type: message.Acknowledgement, MessageID: m.MessageID},
			{Type: message.Confirmable, Code: codes.Changed, MessageID: int32(n % 60_000), Token: m.Token},
		}
	}}
	r, err := Run(t.Context(), coapConfig(f.start(t)))
	if err != nil || !r.Sound() || r.Acknowledged != 1200 {
		t.Errorf("%+v, %v", r, err)
	}
	f.conn.Close()
	f.wg.Wait()
	if f.acks == 0 {
		t.Error("nothing was acknowledged")
	}
}

func TestCoAPFaultsAreCounted(t *testing.T) {
	for _, fault := range []struct {
		name     string
		answers  func(n int, m message.Message) []message.Message
		want     Result
		patience time.Duration
	}{
		{"one request is refused", func(n int, m message.Message) []message.Message {
			if n == 7 {
				return []message.Message{piggybacked(m, codes.ServiceUnavailable)}
			}
			return []message.Message{piggybacked(m, codes.Changed)}
		}, Result{Refused: 1}, longPatience},
		{"one request is answered twice", func(n int, m message.Message) []message.Message {
			a := piggybacked(m, codes.Changed)
			return []message.Message{a, a}[:1+n%99/98] // not the last one, which ends the run
		}, Result{Unexpected: 1}, longPatience},
		{"one request is never answered", func(_ int, m message.Message) []message.Message {
			if bytes.Equal(m.Token, []byte{0, 0, 0, 50}) {
				return nil
			}
			return []message.Message{piggybacked(m, codes.Changed)}
		}, Result{Unacknowledged: 1}, shortPatience},
	} {
		t.Run(fault.name, func(t *testing.T) {
			c := coapConfig((&fakeDevice{answers: fault.answers}).start(t))
			c.Publishers, c.Messages, c.Window, c.Patience = 1, 100, 100, fault.patience
			c.AckTimeout = time.Minute // a request that is sent again may have two answers
			r, err := Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			got := Result{Refused: r.Refused, Unexpected: r.Unexpected, Unacknowledged: r.Unacknowledged}
			if got != fault.want || r.Sound() {
				t.Errorf("got %+v, want %+v; sound: %v", got, fault.want, r.Sound())
			}
		})
	}
}

func TestAnswersThatWillNotChangeEndTheRun(t *testing.T) {
	for want, answer := range map[string]message.Message{
		"NotFound no such path": {Type: message.Acknowledgement, Code: codes.NotFound, Payload: []byte("no such path")},
		"sent a Reset":          {Type: message.Reset},
	} {
		f := &fakeDevice{answers: func(_ int, m message.Message) []message.Message {
			a := answer
			if a.MessageID = m.MessageID; a.Code != codes.Empty {
				a.Token = m.Token
			}
			return []message.Message{a}
		}}
		if _, err := Run(t.Context(), coapConfig(f.start(t))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestObserversHearABroadcast(t *testing.T) {
	for _, sources := range []int{1, 3} {
		f := &fakeDevice{misled: 1}
		fleet, err := OpenIdle(t.Context(), IdleConfig{Protocol: CoAP, Address: f.start(t), Topic: "a/b", Connections: 10,
			Sources: sources, Broadcast: 5})
		if err != nil {
			t.Fatal(err)
		}
		defer fleet.Close()
		f.mu.Lock()
		if n := f.paths["GET /a/b"]; n < 10 || len(f.observers) < 10 {
			t.Errorf("requests %v", f.paths)
		}
		f.mu.Unlock()
		if r := fleet.Result(); r.Answering != 10 || r.Broadcast.Heard != 9 {
			t.Errorf("with %d sources: %d answer, broadcast %+v", sources, r.Answering, r.Broadcast)
		}
	}
}

func TestWhoCannotObserveIsToldSo(t *testing.T) {
	f := &fakeDevice{answers: func(_ int, m message.Message) []message.Message {
		return []message.Message{piggybacked(m, codes.Content)}
	}}
	_, err := OpenIdle(t.Context(), IdleConfig{Protocol: CoAP, Address: f.start(t), Connections: 1})
	if err == nil || !strings.Contains(err.Error(), errNotObserved.Error()) {
		t.Errorf("got %v", err)
	}
}

func TestCoAPConfigurationsAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"await an answer":          func(c *Config) { c.PublishQoS = 0 },
		"none of them observes":    func(c *Config) { c.Subscribers = 1 },
		"no room for both":         func(c *Config) { c.Ends, c.Duration, c.Messages = time.Minute, time.Minute, 0 },
		"ack timeout -1s is negat": func(c *Config) { c.AckTimeout = -time.Second },
	} {
		c := coapConfig("127.0.0.1:1")
		change(&c)
		if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for want, c := range map[string]IdleConfig{
		"only CoAP":          {Secure: true},
		"only DTLS sessions": {Protocol: CoAP, Move: true},
		"hear a broadcast":   {Protocol: CoAP, Secure: true, Broadcast: 1},
	} {
		c.Address, c.Connections = "127.0.0.1:1", 1
		if _, err := OpenIdle(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCoAPCommandPrintsItsResult(t *testing.T) {
	f := new(fakeDevice)
	var out bytes.Buffer
	cmd := NewCoAPCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--server", f.start(t), "--path", "some/where", "--put", "--endpoints", "2", "--messages", "100",
		"--warm-up", "0s", "--latency", "--json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var r Result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Acknowledged != 200 || r.Confirmation == nil || r.Latency != nil {
		t.Errorf("unexpected result %s", out.String())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.paths["PUT /some/where"] == 0 {
		t.Errorf("requests %v", f.paths)
	}
}

func TestRateIsOfWhatComesBetweenTwoLooks(t *testing.T) {
	start := time.Now()
	first := snapshot{at: start, acked: 100}
	for _, c := range []struct {
		last snapshot
		want float64
	}{
		{snapshot{at: start.Add(2 * time.Second), acked: 500}, 200},
		{snapshot{at: start.Add(2 * time.Second), acked: 500, received: 900}, 450},
	} {
		if got := c.last.rateSince(first); got != c.want {
			t.Errorf("got %g, want %g", got, c.want)
		}
	}
}

func TestRunTellsOfItsEnds(t *testing.T) {
	c := coapConfig(new(fakeDevice).start(t))
	c.Messages, c.Duration, c.Ends = 0, 60*time.Millisecond, 20*time.Millisecond
	r, err := Run(t.Context(), c)
	if err != nil || r.Elapsed < c.Duration || r.Beginning < 0 || r.Ending < 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
