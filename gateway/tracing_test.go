package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/eclipse/paho.golang/paho"
	stomp "github.com/go-stomp/stomp/v3"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// tracedParty sends a message to the queue "jobs" over one protocol, as a part of a trace, and takes one from there.
type tracedParty struct {
	send func(parent string)
	take func() (parent string)
}

const producersTrace, producersSpan = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

// TestTraceFollowsAMessageFromEachProtocolToEach: the spans of its ways in and out are in the trace of its producer, and
// its consumer finds the producer's span where its protocol has such things.
func TestTraceFollowsAMessageFromEachProtocolToEach(t *testing.T) {
	collector, doors := startTraced(t, 0)
	parties := tracedParties(t, doors)
	parent := "00-" + producersTrace + "-" + producersSpan + "-01"
	for from, producer := range parties {
		for to, consumer := range parties {
			t.Run(from+" to "+to, func(t *testing.T) {
				producer.send(parent)
				if got := consumer.take(); got != parent {
					t.Errorf("the consumer finds the parent %q, want %q", got, parent)
				}
				spans := collector.Next(2)
				route, deliver := spans["route jobs"], spans["deliver jobs"]
				if route.Trace != producersTrace || route.Parent != producersSpan || route.Attributes["network.protocol.name"] != from {
					t.Errorf("the way in is %+v", route)
				}
				if deliver.Trace != producersTrace || deliver.Parent != route.ID || deliver.Attributes["network.protocol.name"] != to {
					t.Errorf("the way out is %+v", deliver)
				}
				for _, s := range spans {
					if s.Attributes["manifold.outcome"] != "accepted" || s.Attributes["manifold.tenant"] != "default" {
						t.Errorf("%s ended so: %v", s.Name, s.Attributes)
					}
				}
			})
		}
	}
}

// TestTraceBeginsHereIfNobodyHasBegunIt: then the consumer finds the gateway's span.
func TestTraceBeginsHereIfNobodyHasBegunIt(t *testing.T) {
	collector, doors := startTraced(t, 1)
	parties := tracedParties(t, doors)
	for to, consumer := range parties {
		t.Run(to, func(t *testing.T) {
			parties["mqtt"].send("")
			parent := consumer.take()
			spans := collector.Next(2)
			route, deliver := spans["route jobs"], spans["deliver jobs"]
			if want := "00-" + route.Trace + "-" + route.ID + "-01"; parent != want {
				t.Errorf("the consumer finds the parent %q, want %q", parent, want)
			}
			if route.Parent != "" || deliver.Trace != route.Trace || deliver.Parent != route.ID {
				t.Errorf("the ways are %+v and %+v", route, deliver)
			}
		})
	}
}

// TestTraceGoesOnAfterARestart: what was in a queue meanwhile is still the child of its way in.
func TestTraceGoesOnAfterARestart(t *testing.T) {
	collector, disk := gatewaytest.NewCollector(t), vfs.NewMem()
	c := tracedBy(t, collector)
	c.DataDir = "data"
	var route gatewaytest.Span
	t.Run("before", func(t *testing.T) {
		doors := startOn(t, disk, c, slog.New(slog.DiscardHandler))
		tracedParties(t, doors)["mqtt"].send("00-" + producersTrace + "-" + producersSpan + "-01")
		route = collector.Next(1)["route jobs"]
	})
	t.Run("after", func(t *testing.T) {
		doors := startOn(t, disk, c, slog.New(slog.DiscardHandler))
		tracedParties(t, doors)["http"].take()
		if deliver := collector.Next(1)["deliver jobs"]; deliver.Trace != producersTrace || deliver.Parent != route.ID {
			t.Errorf("the way out is %+v, the way in was %+v", deliver, route)
		}
	})
}

// TestExemplarsAreInOpenMetricsOnly: the older format has no place for them.
func TestExemplarsAreInOpenMetricsOnly(t *testing.T) {
	collector, doors := startTraced(t, 0)
	parties := tracedParties(t, doors)
	parties["mqtt"].send("00-" + producersTrace + "-" + producersSpan + "-01")
	parties["http"].take()
	collector.Next(2)
	want := fmt.Sprintf("trace_id=%q", producersTrace)
	for accept, has := range map[string]bool{"application/openmetrics-text; version=1.0.0": true, "text/plain": false} {
		_, page := visit(t, http.MethodGet, "http://"+doors["admin"]+"/metrics", "Accept", accept)
		if strings.Contains(page, want) != has || !strings.Contains(page, "manifold_traced_step_seconds_bucket") {
			t.Errorf("as %s the page is\n%s", accept, page)
		}
	}
}

// startTraced runs a gateway whose messages are followed: all that name a sampled trace, and a part of the others.
func startTraced(t *testing.T, ratio float64) (*gatewaytest.Collector, map[string]string) {
	t.Helper()
	collector := gatewaytest.NewCollector(t)
	c := tracedBy(t, collector)
	c.Tracing.Ratio = ratio
	return collector, startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
}

// tracedBy is the quickstart's configuration with a collector.
func tracedBy(t *testing.T, collector *gatewaytest.Collector) config.Config {
	t.Helper()
	c := quickstart(t)
	c.Tracing.Endpoint, c.Tracing.Interval = collector.URL, 10*time.Millisecond
	return c
}

// tracedParties gives one for each protocol, by the name that spans have for it.
func tracedParties(t *testing.T, doors map[string]string) map[string]tracedParty {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return map[string]tracedParty{
		"amqp": tracedAMQP(t, doors), "mqtt": tracedMQTT(ctx, t, doors), "stomp": tracedSTOMP(t, doors),
		"http": tracedHTTP(t, doors), "coap": tracedCoAP(ctx, t, doors),
	}
}

func tracedAMQP(t *testing.T, doors map[string]string) tracedParty {
	user := enterAMQP(t, doors)
	return tracedParty{
		send: func(parent string) {
			m := goamqp.NewMessage([]byte("x"))
			m.ApplicationProperties = map[string]any{"traceparent": parent}
			if err := user.sender("jobs").Send(user.ctx, m, nil); err != nil {
				t.Fatal(err)
			}
		},
		take: func() string {
			link := user.receiver("jobs", 1)
			m := user.receive(link)
			if err := link.AcceptMessage(user.ctx, m); err != nil {
				t.Fatal(err)
			}
			if err := link.Close(user.ctx); err != nil {
				t.Fatal(err)
			}
			ours, _ := m.Annotations["traceparent"].(string)
			theirs, named := m.ApplicationProperties["traceparent"].(string)
			if ours == "" || ours == theirs {
				t.Errorf("the annotation says %q, and the producer %q", ours, theirs)
			}
			if !named {
				return ours
			}
			return theirs
		},
	}
}

func tracedMQTT(ctx context.Context, t *testing.T, doors map[string]string) tracedParty {
	came := make(chan string, 16)
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", doors["mqtt"])
	if err != nil {
		t.Fatal(err)
	}
	client := paho.NewClient(paho.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			came <- p.Packet.Properties.User.Get("traceparent")
			return true, nil
		}},
	})
	if _, err := client.Connect(ctx, &paho.Connect{CleanStart: true, KeepAlive: 30}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(new(paho.Disconnect)) })
	return tracedParty{
		send: func(parent string) {
			p := &paho.Publish{Topic: "jobs", QoS: 1, Payload: []byte("x"), Properties: new(paho.PublishProperties)}
			if parent != "" {
				p.Properties.User.Add("traceparent", parent)
			}
			if _, err := client.Publish(ctx, p); err != nil {
				t.Fatal(err)
			}
		},
		take: func() string {
			if _, err := client.Subscribe(ctx, &paho.Subscribe{
				Subscriptions: []paho.SubscribeOptions{{Topic: "jobs"}}, // what comes with QoS 0 is settled then
			}); err != nil {
				t.Fatal(err)
			}
			parent := <-came
			if _, err := client.Unsubscribe(ctx, &paho.Unsubscribe{Topics: []string{"jobs"}}); err != nil {
				t.Fatal(err)
			}
			return parent
		},
	}
}

func tracedSTOMP(t *testing.T, doors map[string]string) tracedParty {
	conn := dialSTOMP(t, doors["stomp"])
	return tracedParty{
		send: func(parent string) {
			if err := conn.Send("jobs", "", []byte("x"), stomp.SendOpt.Receipt, stomp.SendOpt.Header("traceparent", parent)); err != nil {
				t.Fatal(err)
			}
		},
		take: func() string {
			s, err := conn.Subscribe("jobs", stomp.AckClientIndividual)
			if err != nil {
				t.Fatal(err)
			}
			m := <-s.C
			if err := conn.Ack(m); err != nil {
				t.Fatal(err)
			}
			if err := unsubscribe(s); err != nil {
				t.Fatal(err)
			}
			return m.Header.Get("traceparent")
		},
	}
}

func tracedHTTP(t *testing.T, doors map[string]string) tracedParty {
	messages := "http://" + doors["http"] + "/v1/default/jobs/messages"
	return tracedParty{
		send: func(parent string) { visit(t, http.MethodPost, messages, "Traceparent", parent) },
		take: func() string {
			header, _ := visit(t, http.MethodDelete, messages+"/head?timeout=30")
			return header.Get("Traceparent")
		},
	}
}

// visit makes a request with headers, names and values in turn, which has to succeed.
func visit(t *testing.T, method, url string, header ...string) (http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: status %d, %v: %s", method, url, answer.StatusCode, err, page)
	}
	return answer.Header, string(page)
}

func tracedCoAP(ctx context.Context, t *testing.T, doors map[string]string) tracedParty {
	conn := dialCoAP(t, doors, "coap+tcp")
	return tracedParty{
		send: func(parent string) {
			askCoAP(ctx, t, conn, codes.Changed, codes.POST, "/a/jobs", []byte("x"), "traceparent="+parent)
		},
		take: func() string {
			answer, _ := askCoAP(ctx, t, conn, codes.Content, codes.DELETE, "/q/jobs/head", nil, "meta", "timeout=30")
			for _, o := range answer.Options() {
				if parent, ok := strings.CutPrefix(string(o.Value), "traceparent="); ok {
					return parent
				}
			}
			return ""
		},
	}
}

func TestHeadersForTheCollectorComeFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "headers")
	for text, want := range map[string]string{
		"Authorization: Bearer a:b\n\nX-Tenant:1\n": "map[Authorization:Bearer a:b X-Tenant:1]",
		"Bearer x":       "a line is not Name: value",
		"Two words: abc": "a line is not Name: value",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		headers, err := readHeaders(file)
		if got := fmt.Sprint(headers, err); !strings.Contains(got, want) {
			t.Errorf("%q is read as %s, want %s", text, got, want)
		}
	}
}
