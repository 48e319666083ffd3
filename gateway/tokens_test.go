package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/coder/websocket"
	"github.com/eclipse/paho.golang/packets"
	paho5 "github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-stomp/stomp/v3"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/tenancy"
)

// trusting is a configuration whose tenants take the word of an issuer: default of everybody with its roles, acme of those
// that it says are of acme.
func trusting(t *testing.T, issuer *gatewaytest.Issuer) config.Config {
	t.Helper()
	c := quickstart(t)
	pattern := func(text string) []tenancy.Pattern {
		p, err := tenancy.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		return []tenancy.Pattern{p}
	}
	tokens := func(tenant string) []config.Tokens {
		return []config.Tokens{{
			Issuer: issuer.URL, Audience: "manifold",
			Claims: config.TokenClaims{Tenant: tenant, Roles: "realm_access.roles"},
		}}
	}
	c.Tenants = []config.Tenant{
		{
			Name: "default", Addresses: c.Addresses, Tokens: tokens(""), TokenUser: "token",
			Roles: []config.Role{{Name: "worker", Send: pattern("jobs"), Receive: pattern("#")}},
		},
		{Name: "acme", Addresses: c.Addresses, Tokens: tokens("org"), TokenUser: "token"},
	}
	c.Anonymous, c.Addresses, c.Login.Delay = false, nil, 0
	return c
}

// withToken are the ways to send a message to the queue jobs of the tenant default by showing a token.
var withToken = map[string]func(ctx context.Context, doors map[string]string, token string) error{
	"HTTP":       postWithToken("Bearer"),
	"HTTP Basic": postWithToken("Basic"),
	"AMQP XOAUTH2": func(ctx context.Context, doors map[string]string, token string) error {
		return sendWithSASL(ctx, doors["amqp"], goamqp.SASLTypeXOAUTH2("", token, 8<<10))
	},
	"AMQP PLAIN": func(ctx context.Context, doors map[string]string, token string) error {
		return sendWithSASL(ctx, doors["amqp"], goamqp.SASLTypePlain("token", token))
	},
	"MQTT": func(_ context.Context, doors map[string]string, token string) error {
		client := paho3.NewClient(paho3.NewClientOptions().AddBroker("tcp://" + doors["mqtt"]).SetAutoReconnect(false).
			SetUsername("token").SetPassword(token))
		if err := wait(client.Connect()); err != nil {
			return err
		}
		defer client.Disconnect(0)
		return wait(client.Publish("jobs", 1, false, "x"))
	},
	"MQTT 5 OAUTHBEARER": func(ctx context.Context, doors map[string]string, token string) error {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", doors["mqtt"])
		if err != nil {
			return err
		}
		defer nc.Close()
		client := paho5.NewClient(paho5.ClientConfig{Conn: packets.NewThreadSafeConn(nc), AuthHandler: silent{}})
		if _, err := client.Connect(ctx, &paho5.Connect{CleanStart: true, KeepAlive: 60, Properties: &paho5.ConnectProperties{
			AuthMethod: "OAUTHBEARER", AuthData: []byte("n,,\x01auth=Bearer " + token + "\x01\x01"),
		}}); err != nil {
			return err
		}
		defer client.Disconnect(&paho5.Disconnect{})
		_, err = client.Publish(ctx, &paho5.Publish{Topic: "jobs", QoS: 1, Payload: []byte("x")})
		return err
	},
	"STOMP passcode": func(_ context.Context, doors map[string]string, token string) error {
		return sendSTOMP(doors["stomp"], stomp.ConnOpt.Login("token", token))
	},
	"STOMP header": func(_ context.Context, doors map[string]string, token string) error {
		return sendSTOMP(doors["stomp"], stomp.ConnOpt.Header("Authorization", "Bearer "+token))
	},
}

// silent answers a challenge, which only tells why a token is refused, with the end of the exchange (RFC 7628 section 3.2.3).
type silent struct{}

func (silent) Authenticate(a *paho5.Auth) *paho5.Auth {
	return &paho5.Auth{ReasonCode: 0x18, Properties: &paho5.AuthProperties{AuthMethod: a.Properties.AuthMethod, AuthData: []byte{1}}}
}

func (silent) Authenticated() {}

func postWithToken(scheme string) func(context.Context, map[string]string, string) error {
	return func(ctx context.Context, doors map[string]string, token string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost,
			"http://"+doors["http"]+pathOf("default", "jobs", "messages"), strings.NewReader("x"))
		if err != nil {
			return err
		}
		if request.SetBasicAuth("token", token); scheme == "Bearer" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		request.Close = true
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			return errors.New(answer.Status)
		}
		return nil
	}
}

func sendWithSASL(ctx context.Context, door string, sasl goamqp.SASLType) error {
	conn, err := goamqp.Dial(ctx, "amqp://"+door, &goamqp.ConnOptions{SASLType: sasl})
	if err != nil {
		return err
	}
	defer conn.Close()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		return err
	}
	link, err := session.NewSender(ctx, "jobs", nil)
	if err != nil {
		return err
	}
	return sendAMQP(ctx, link, goamqp.NewMessage([]byte("x")))
}

func sendSTOMP(door string, option func(*stomp.Conn) error) error {
	client, err := stomp.Dial("tcp", door, stomp.ConnOpt.Host("default"), option, quietly)
	if err != nil {
		return err
	}
	defer client.MustDisconnect()
	return client.Send("jobs", "text/plain", []byte("x"), stomp.SendOpt.Receipt)
}

func TestTokenLetsItsUserInEverywhere(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	doors := startOn(t, vfs.NewMem(), trusting(t, issuer), slog.New(slog.DiscardHandler))
	claims := func(audience string, roles ...string) map[string]any {
		return map[string]any{"sub": "ann", "aud": audience, "realm_access": map[string]any{"roles": roles}}
	}
	good := issuer.Token(claims("manifold", "worker", "offline_access"))
	for way, send := range withToken {
		if err := send(t.Context(), doors, good); err != nil {
			t.Errorf("%s: %v", way, err)
		}
		for fault, token := range map[string]string{
			"for another audience": issuer.Token(claims("other", "worker")),
			"without a role":       issuer.Token(claims("manifold", "stranger")),
			"of nobody":            "nonsense",
		} {
			if err := send(t.Context(), doors, token); err == nil {
				t.Errorf("%s: one %s is as good", way, fault)
			}
		}
	}
}

func TestTokenOfOneTenantIsNoneOfAnother(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	doors := startOn(t, vfs.NewMem(), trusting(t, issuer), slog.New(slog.DiscardHandler))
	jobs := newHTTPClient(t, doors["http"])
	for tenant, claims := range map[string]map[string]any{
		"":     {"sub": "ann", "aud": "manifold"},
		"acme": {"sub": "ann", "aud": "manifold", "org": "acme"},
	} {
		p, err := jobs.ask(t.Context(), http.MethodPost, pathOf("acme", "jobs", "messages"),
			http.Header{"Authorization": {"Bearer " + issuer.Token(claims)}}, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]int{"": http.StatusUnauthorized, "acme": http.StatusCreated}[tenant]; p.code != want {
			t.Errorf("a token of %q at acme: status %d, want %d", tenant, p.code, want)
		}
	}
}

// lasting are connections that have shown a token, as a function that returns when the gateway has ended one.
var lasting = map[string]func(ctx context.Context, doors map[string]string, token string) (ended func() error, err error){
	"MQTT": func(_ context.Context, doors map[string]string, token string) (func() error, error) {
		lost := make(chan error, 1)
		client := paho3.NewClient(paho3.NewClientOptions().AddBroker("tcp://" + doors["mqtt"]).SetAutoReconnect(false).
			SetUsername("token").SetPassword(token).SetConnectionLostHandler(func(_ paho3.Client, err error) { lost <- err }))
		return func() error { return <-lost }, wait(client.Connect())
	},
	"AMQP": func(ctx context.Context, doors map[string]string, token string) (func() error, error) {
		conn, err := goamqp.Dial(ctx, "amqp://"+doors["amqp"], &goamqp.ConnOptions{SASLType: goamqp.SASLTypeXOAUTH2("", token, 8<<10)})
		return func() error {
			<-conn.Done()
			if e, ok := errors.AsType[*goamqp.ConnError](conn.Err()); ok && e.RemoteErr != nil {
				return e.RemoteErr
			}
			return conn.Err()
		}, err
	},
	"STOMP": func(ctx context.Context, doors map[string]string, token string) (func() error, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", doors["stomp"])
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(nc, "CONNECT\naccept-version:1.2\nhost:default\nAuthorization:Bearer %s\n\n\x00", token)
		from := bufio.NewReader(nc)
		if answer, err := from.ReadString(0); err != nil || !strings.HasPrefix(answer, "CONNECTED") {
			return nil, fmt.Errorf("%.20q, %v", answer, err)
		}
		return func() error {
			defer nc.Close()
			rest, _ := io.ReadAll(from)
			return errors.New(string(rest))
		}, nil
	},
	"HTTP stream": func(ctx context.Context, doors map[string]string, token string) (func() error, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+doors["http"]+pathOf("default", "alerts", "stream"), nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		request.Close = true
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode != http.StatusOK {
			answer.Body.Close()
			return nil, errors.New(answer.Status)
		}
		return func() error {
			defer answer.Body.Close()
			_, err := io.Copy(io.Discard, answer.Body)
			return err
		}, nil
	},
	"WebSocket": func(ctx context.Context, doors map[string]string, token string) (func() error, error) {
		ws, _, err := websocket.Dial(ctx, "ws://"+doors["http"]+"/v1/default/socket", nil)
		if err != nil {
			return nil, err
		}
		order, err := json.Marshal(map[string]any{"op": "connect", "id": 1, "token": token})
		if err == nil {
			err = ws.Write(ctx, websocket.MessageText, order)
		}
		if err == nil {
			_, _, err = ws.Read(ctx)
		}
		return func() error {
			_, _, err := ws.Read(ctx)
			return err
		}, err
	},
}

func TestConnectionEndsWithItsToken(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	doors := startOn(t, vfs.NewMem(), trusting(t, issuer), slog.New(slog.DiscardHandler))
	for name, connect := range lasting {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var ended func() error
			err := errors.New("never tried")
			for lives := 2 * time.Second; err != nil && lives < time.Minute; lives *= 2 { // on a slow machine it is over too soon
				ended, err = connect(ctx, doors, issuer.Token(map[string]any{
					"sub": "ann", "aud": "manifold", "exp": time.Now().Add(lives).Unix(),
					"realm_access": map[string]any{"roles": []string{"worker"}},
				}))
			}
			if err != nil {
				t.Fatal(err)
			}
			over := make(chan error, 1)
			go func() { over <- ended() }()
			select {
			case err := <-over:
				if ctx.Err() != nil {
					t.Errorf("it has not ended: %v", err)
				}
				told := fmt.Sprint(err)
				if (name == "AMQP" || name == "STOMP") && !strings.Contains(told, "expired") {
					t.Errorf("told %q", told)
				}
			case <-ctx.Done():
				t.Error("it goes on")
			}
		})
	}
}

func TestIssuerThatIsDownKeepsNobodyElseOut(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	issuer.Down(true)
	c := trusting(t, issuer)
	c.Tenants[0].Users = []config.User{{Name: "ann", Credential: credential(t, passwordA), Roles: []string{"worker"}}}
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	if err := sendWithSASL(t.Context(), doors["amqp"], goamqp.SASLTypePlain("ann", "a")); err != nil {
		t.Error(err)
	}
	token := issuer.Token(map[string]any{"sub": "ann", "aud": "manifold", "realm_access": map[string]any{"roles": []string{"worker"}}})
	if err := withToken["HTTP"](t.Context(), doors, token); err == nil || !strings.HasPrefix(err.Error(), "503") {
		t.Errorf("while it is down: %v", err)
	}
	issuer.Down(false)
	deadline := time.After(30 * time.Second)
	for tick := time.NewTicker(100 * time.Millisecond); withToken["HTTP"](t.Context(), doors, token) != nil; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it is up again, and nobody is let in")
		}
	}
}

// TestIssuersComeAndGoWhileTheGatewayRuns: whose word a tenant takes is part of what is read again.
func TestIssuersComeAndGoWhileTheGatewayRuns(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	with := trusting(t, issuer)
	without := with
	without.Tenants = []config.Tenant{with.Tenants[0], with.Tenants[1]}
	without.Tenants[0].Tokens = nil
	changes := make(chan config.Config)
	doors := startChanging(t, vfs.NewMem(), without, changes, slog.New(slog.DiscardHandler))
	token := issuer.Token(map[string]any{"sub": "ann", "aud": "manifold", "realm_access": map[string]any{"roles": []string{"worker"}}})
	send := func() bool { return withToken["HTTP"](t.Context(), doors, token) == nil }
	if send() {
		t.Fatal("the word of an issuer is taken that nobody names")
	}
	for _, c := range []struct {
		config config.Config
		taken  bool
	}{{with, true}, {without, false}} {
		changes <- c.config
		deadline := time.After(30 * time.Second)
		for tick := time.NewTicker(10 * time.Millisecond); send() != c.taken; {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("after the change the token is not judged so: %v", c.taken)
			}
		}
	}
}
