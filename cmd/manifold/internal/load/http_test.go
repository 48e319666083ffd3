package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"strings"
	"testing"
	"time"
)

// mustRunHTTP leaves the patience at its default: requests on a busy machine are slow, and only a loss waits it out.
func mustRunHTTP(t *testing.T, f *fakeDoor, c Config) Result {
	t.Helper()
	if c.Protocol == "" {
		c.Protocol = HTTP
	}
	c.Address = f.start(t)
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryHTTPMessageIsCountedOnce(t *testing.T) {
	for _, c := range []Config{
		{Protocol: HTTP, Layout: Pairs, PublishQoS: 1},
		{Protocol: HTTP, Layout: Pairs},
		{Protocol: HTTP, Layout: FanOut, PublishQoS: 1},
		{Protocol: HTTP, Layout: Mesh, PublishQoS: 1},
		{Protocol: HTTP, Layout: Pairs, PublishQoS: 1, SubscribeQoS: 1},
		{Protocol: HTTP, Layout: Workers, PublishQoS: 1, SubscribeQoS: 1},
		{Protocol: HTTP, Layout: Pairs, PublishQoS: 1, Window: 8},
		{Protocol: HTTP2, Layout: Pairs, PublishQoS: 1},
		{Protocol: HTTP2, Layout: FanOut, Window: 8},
		{Protocol: HTTP2, Layout: Workers, PublishQoS: 1, SubscribeQoS: 1, Window: 8},
	} {
		name := fmt.Sprintf("%s %s %d %d window %d", c.Protocol, c.Layout, c.PublishQoS, c.SubscribeQoS, c.Window)
		t.Run(name, func(t *testing.T) {
			const publishers, messages = 3, 100
			want := uint64(publishers * messages)
			delivered := want
			if c.Layout == FanOut || c.Layout == Mesh {
				delivered *= publishers
			}
			c.Publishers, c.Subscribers, c.Messages = publishers, publishers, messages
			f := &fakeDoor{}
			r := mustRunHTTP(t, f, c)
			if !r.Sound() || r.Published != want || r.Acknowledged != want || r.Delivered != delivered {
				t.Errorf("a correct server was blamed: %+v", r)
			}
			if r.Unordered != (c.Window > 1) {
				t.Errorf("unordered is %v", r.Unordered)
			}
			expected := doorSeen{"HTTP/1.1", int(want) * (1 - c.PublishQoS), int(want) * c.SubscribeQoS}
			if c.Protocol == HTTP2 {
				expected.protocol = "HTTP/2.0"
			}
			if seen := f.look(); seen != expected {
				t.Errorf("the server saw %+v, want %+v", seen, expected)
			}
		})
	}
}

func TestHTTPFaultsAreCounted(t *testing.T) {
	for _, fault := range []struct {
		name string
		fate func(n int) (times, status int)
		want Result
	}{
		{"every tenth message is lost", func(n int) (int, int) {
			return min(1, n%10), nethttp.StatusCreated
		}, Result{Lost: 10}},
		{"every fiftieth message comes twice", func(n int) (int, int) {
			return 1 + (n+10)%50/49, nethttp.StatusCreated
		}, Result{Duplicated: 2}},
		{"nobody can take one message", func(n int) (int, int) {
			if n == 7 {
				return 0, nethttp.StatusServiceUnavailable
			}
			return 1, nethttp.StatusCreated
		}, Result{Lost: 1, Refused: 1}},
	} {
		for qos := range 2 {
			t.Run(fmt.Sprintf("%s QoS %d", fault.name, qos), func(t *testing.T) {
				t.Parallel()
				r := mustRunHTTP(t, &fakeDoor{fate: fault.fate}, Config{
					Subscribers: 1, PublishQoS: 1, SubscribeQoS: qos, Messages: 100, Patience: time.Second,
				})
				got := Result{Lost: r.Lost, Duplicated: r.Duplicated, Misordered: r.Misordered,
					Unacknowledged: r.Unacknowledged, Refused: r.Refused}
				if got != fault.want || r.Sound() {
					t.Errorf("got %+v, want %+v; sound: %v", got, fault.want, r.Sound())
				}
			})
		}
	}
}

func TestHTTPSenderWithoutReceiversCountsAnswers(t *testing.T) {
	r := mustRunHTTP(t, &fakeDoor{}, Config{Layout: Mesh, PublishQoS: 1, Messages: 100, Window: 4})
	if !r.Sound() || r.Acknowledged != 100 {
		t.Errorf("unexpected result %+v", r)
	}
	var out strings.Builder
	if err := r.WriteText(&out); err != nil || strings.Contains(out.String(), "out of order") {
		t.Errorf("an order is claimed that nobody has asked for: %v, %s", err, out.String())
	}
}

func TestLargeHTTPMessagesGoWhole(t *testing.T) {
	for qos := range 2 {
		r := mustRunHTTP(t, &fakeDoor{}, Config{
			Subscribers: 1, PublishQoS: 1, SubscribeQoS: qos, Messages: 10, PayloadSize: 1 << 20,
		})
		if !r.Sound() || r.Delivered != 10 {
			t.Errorf("QoS %d: %+v", qos, r)
		}
	}
}

func TestBrokenHTTPServerEndsTheRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		door   *fakeDoor
		config Config
		want   string
	}{
		{"a stream is refused", &fakeDoor{refuse: true}, Config{Subscribers: 1},
			"subscriber 0: GET /v1/default/bench%2F0/stream: 403 Forbidden: not here"},
		{"taking is refused", &fakeDoor{refuse: true}, Config{Subscribers: 1, SubscribeQoS: 1},
			"subscriber 0: OPTIONS /v1/default/bench%2F0/messages/head: 403 Forbidden: not here"},
		{"sending is refused", &fakeDoor{refuse: true}, Config{},
			"publisher 0: OPTIONS /v1/default/bench%2F0/messages: 403 Forbidden"},
		{"a message is too large", &fakeDoor{fate: func(int) (int, int) {
			return 0, nethttp.StatusRequestEntityTooLarge
		}}, Config{Window: 4}, "publisher 0: POST /v1/default/bench%2F0/messages: 413"},
		{"a stream ends", &fakeDoor{hangUp: true}, Config{Subscribers: 1},
			"subscriber 0: the server closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Protocol, c.config.Address, c.config.Duration = HTTP, c.door.start(t), time.Minute
			_, err := Run(t.Context(), c.config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %q", err, c.want)
			}
		})
	}
}

func TestReceivingUnderALockIsForOneOfMany(t *testing.T) {
	_, err := Run(t.Context(), Config{Protocol: HTTP, Address: "127.0.0.1:1", Layout: FanOut, Subscribers: 1,
		SubscribeQoS: 1, Messages: 1})
	if err == nil || !strings.Contains(err.Error(), "under a lock needs layout") {
		t.Errorf("got %v", err)
	}
}

func TestHTTPFleetHasAStreamEachAndAnswers(t *testing.T) {
	for _, protocol := range []Protocol{HTTP, HTTP2} {
		f := &fakeDoor{}
		fleet, err := OpenIdle(t.Context(), IdleConfig{Protocol: protocol, Address: f.start(t), Connections: 50})
		if err != nil {
			t.Fatal(err)
		}
		if r := fleet.Result(); r.Connections != 50 || r.Answering != 50 {
			t.Errorf("%s: result %+v", protocol, r)
		}
		fleet.Close()
		f.mu.Lock()
		if n := len(f.streams); n != 50 {
			t.Errorf("%s: streams at %d addresses", protocol, n)
		}
		f.mu.Unlock()
	}
}

func TestOnlyOctetsHaveAStamp(t *testing.T) {
	ours := appendPayload(nil, 300, 1, 2)
	encoded, err := json.Marshal(ours) // as base64
	if err != nil {
		t.Fatal(err)
	}
	if got := stampOf(bytes.Trim(encoded, `"`)); !bytes.Equal(got, ours[:MinPayload]) {
		t.Errorf("got %x", got)
	}
	for _, data := range []string{"", "short", strings.Repeat("text! ", 10), strings.Repeat("A", 31) + "="} {
		if got := stampOf([]byte(data)); got != nil {
			t.Errorf("%q: got %x", data, got)
		}
	}
}

func TestHTTPCommandPrintsItsResult(t *testing.T) {
	f := &fakeDoor{}
	address := f.start(t)
	for _, flags := range [][]string{{}, {"--http2", "--unconfirmed"}, {"--lock", "--address", "jobs"}} {
		var out bytes.Buffer
		cmd := NewHTTPCommand()
		cmd.SetOut(&out)
		cmd.SetArgs(append(flags, "--server", address, "--messages", "50", "--warm-up", "0s", "--json"))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		var r Result
		if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Delivered != 50 || r.Acknowledged != 50 {
			t.Errorf("%v: %v: %s", flags, err, out.String())
		}
	}
	if seen := f.look(); seen.deleted != 50 || seen.unconfirmed != 50 {
		t.Errorf("the server saw %+v", seen)
	}
}

func TestHTTPIdleCommandPrintsItsResult(t *testing.T) {
	var out bytes.Buffer
	cmd := NewHTTPCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"idle", "--server", new(fakeDoor).start(t), "--connections", "5", "--settle", "0s", "--http2"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "5, 5 of them answered a ping") {
		t.Errorf("printed %s", out.String())
	}
}
