package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-stomp/stomp/v3"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/tcp"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
)

// passOn connects to a door as a proxy that begins with a header.
func passOn(ctx context.Context, door, header string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", door)
	if err == nil {
		_, err = io.WriteString(nc, header)
	}
	return nc, err
}

// passing are clients that send a message over a connection that begins with a header.
var passing = map[string]func(ctx context.Context, doors map[string]string, header string) error{
	"amqp": func(ctx context.Context, doors map[string]string, header string) error {
		nc, err := passOn(ctx, doors["amqp"], header)
		if err != nil {
			return err
		}
		return sendOver(ctx, nc, attempt{})
	},
	"mqtt": func(ctx context.Context, doors map[string]string, header string) error {
		o := paho3.NewClientOptions().AddBroker("tcp://" + doors["mqtt"]).SetAutoReconnect(false).SetConnectTimeout(time.Minute)
		o.SetCustomOpenConnectionFn(func(*url.URL, paho3.ClientOptions) (net.Conn, error) { return passOn(ctx, doors["mqtt"], header) })
		client := paho3.NewClient(o)
		if err := wait(client.Connect()); err != nil {
			return err
		}
		defer client.Disconnect(0)
		return wait(client.Publish("jobs", 1, false, "x"))
	},
	"stomp": func(ctx context.Context, doors map[string]string, header string) error {
		nc, err := passOn(ctx, doors["stomp"], header)
		if err != nil {
			return err
		}
		defer nc.Close()
		conn, err := stomp.Connect(nc, quietly)
		if err != nil {
			return err
		}
		defer conn.Disconnect()
		return conn.Send("jobs", "text/plain", []byte("x"), stomp.SendOpt.Receipt)
	},
	"http": func(ctx context.Context, doors map[string]string, header string) error {
		return postOver(ctx, &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return passOn(ctx, doors["http"], header)
		}}, "http")
	},
	"https": func(ctx context.Context, doors map[string]string, header string) error {
		return postOver(ctx, &http.Transport{
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return passOn(ctx, doors["https"], header) },
		}, "https")
	},
	"coap": func(ctx context.Context, doors map[string]string, header string) error {
		nc, err := passOn(ctx, doors["coap+tcp"], header)
		if err != nil {
			return err
		}
		conn, err := tcp.Client(nc, options.WithContext(ctx))
		if err != nil {
			return err
		}
		return postJob(ctx, conn)
	},
}

// postOver sends a message to the queue jobs.
func postOver(ctx context.Context, transport *http.Transport, scheme string) error {
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+"://door"+pathOf("default", "jobs", "messages"), strings.NewReader("x"))
	if err != nil {
		return err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("status %s", answer.Status)
	}
	return nil
}

// behindProxies is a configuration whose doors believe proxies of a network.
func behindProxies(t *testing.T, network string) config.Config {
	t.Helper()
	c := quickstart(t)
	c.TLS = gatewaytest.New(t).Settings("none")
	c.MQTT.TLSPort, c.AMQP.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	proxies := config.Proxy{From: []netip.Prefix{netip.MustParsePrefix(network)}}
	c.MQTT.Proxy, c.AMQP.Proxy, c.STOMP.Proxy, c.HTTP.Proxy, c.CoAP.Proxy = proxies, proxies, proxies, proxies, proxies
	c.Audit.File = filepath.Join(t.TempDir(), "audit.log")
	return c
}

func TestAddressIsThatBehindTheProxy(t *testing.T) {
	c := behindProxies(t, "127.0.0.0/8")
	const header = "PROXY TCP4 192.0.2.7 198.51.100.1 50700 8080\r\n"
	t.Run("a gateway", func(t *testing.T) {
		doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
		for protocol, send := range passing {
			if err := send(t.Context(), doors, header); err != nil {
				t.Errorf("%s: %v", protocol, err)
			}
		}
		if err := passing["amqp"](t.Context(), doors, ""); err == nil {
			t.Error("a proxy that does not say whose connection it is gets through")
		}
	})
	record := recordOf(t, c.Audit.File)
	for _, protocol := range []string{"AMQP", "MQTT", "STOMP", "CoAP"} {
		if !record.has(audit.Event{Event: "connected", Protocol: protocol, Address: "192.0.2.7:50700"}) {
			t.Errorf("%s: the client's address is not in the record", protocol)
		}
	}
	if !record.has(audit.Event{Event: "failed", Protocol: "AMQP", Reason: "handshake", Detail: "there is no PROXY header"}) {
		t.Error("a connection without a header is not in the record")
	}
}

func TestHeaderOfWhoIsNoProxyIsRefused(t *testing.T) {
	c := behindProxies(t, "192.0.2.0/24")
	t.Run("a gateway", func(t *testing.T) {
		doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
		for protocol, send := range passing {
			if protocol == "coap" { // its client waits for an answer that does not come
				continue
			}
			if err := send(t.Context(), doors, "PROXY TCP4 192.0.2.7 198.51.100.1 50700 8080\r\n"); err == nil {
				t.Errorf("%s: it is believed", protocol)
			}
			if err := send(t.Context(), doors, ""); err != nil {
				t.Errorf("%s: without a header: %v", protocol, err)
			}
		}
	})
	record := recordOf(t, c.Audit.File)
	for _, protocol := range []string{"AMQP", "MQTT", "STOMP", "HTTP"} {
		if !record.has(audit.Event{Event: "failed", Protocol: protocol, Reason: "handshake", Detail: "proxy.from"}) {
			t.Errorf("%s: it is not in the record", protocol)
		}
	}
	for _, e := range record {
		if strings.HasPrefix(e.Address, "192.0.2.7") {
			t.Errorf("what it says is believed: %+v", e)
		}
	}
}
