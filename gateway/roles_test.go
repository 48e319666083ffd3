package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"
	stomp "github.com/go-stomp/stomp/v3"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/gateway/config"
)

// TestRolesDecideOverEveryProtocol: a user may send and receive where a role of his says so, and hears elsewhere that he
// may not in the word that his protocol has for it.
func TestRolesDecideOverEveryProtocol(t *testing.T) {
	doors := startOn(t, vfs.NewMem(), withRoles(t), slog.New(slog.DiscardHandler))
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, c := range []struct {
				name    string
				does    func(*errand) error
				address string
				may     bool
			}{
				{"send", g.send, "a/sensor/x", true},
				{"send", g.send, "a/other/x", false},
				{"send", g.send, "b/sensor", false},
				{"receive", g.receive, "b/sensor", true},
				{"receive", g.receive, "b/other", false},
				{"receive", g.receive, "a/sensor/x", false},
			} {
				if err := c.does(&errand{ctx, t, doors, c.address, c.may}); err != nil {
					t.Errorf("%s %s: %v", c.name, c.address, err)
				}
			}
		})
	}
}

// withRoles is a gateway where the user sensor, whose password is "a", may send below a/sensor and receive from b/sensor.
func withRoles(t *testing.T) config.Config {
	t.Helper()
	declared, err := config.Parse("roles.yaml", []byte(`
tenants:
  - name: default
    addresses: [{name: "a/#", kind: topic}, {name: "b/#", kind: queue}]
    roles: [{name: device, send: ["a/{user}/#"], receive: ["b/{user}"]}]
    users: [{name: sensor, credential: "`+passwordA+`", roles: [device]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	c.CoAP.QueryCredentials = true
	return c
}

// guest is a client of one protocol, who comes as sensor for each errand anew.
type guest struct {
	name          string
	send, receive func(*errand) error
}

// errand is something that a guest may do at an address, or may not. It is done if that is what he hears.
type errand struct {
	ctx     context.Context
	t       *testing.T
	doors   map[string]string
	address string
	may     bool
}

// heard checks what a guest is told: no for an error, in this word.
func (e *errand) heard(err error, word, no string) error {
	switch {
	case e.may:
		return err
	case err == nil:
		return errors.New("it was allowed")
	case word != no:
		return fmt.Errorf("told %q, want %q: %w", word, no, err)
	}
	return nil
}

// either gives one of two codes.
func either[C any](e *errand, yes, no C) C {
	if e.may {
		return yes
	}
	return no
}

var guests = []guest{
	{"AMQP 1.0", (*errand).sendAMQP, (*errand).receiveAMQP},
	{"MQTT 3.1.1", (*errand).sendMQTT3, (*errand).receiveMQTT3},
	{"MQTT 5", (*errand).sendMQTT5, (*errand).receiveMQTT5},
	{"STOMP", (*errand).sendSTOMP, (*errand).receiveSTOMP},
	{"HTTP", (*errand).sendHTTP, (*errand).receiveHTTP},
	{"WebSocket", (*errand).sendSocket, (*errand).receiveSocket},
	{"CoAP", (*errand).sendCoAP, (*errand).receiveCoAP},
	{"CoAP, observing", (*errand).sendCoAP, (*errand).observeCoAP},
}

func (e *errand) dialAMQP() *amqpClient {
	e.t.Helper()
	client, err := connectAMQP(e.ctx, e.doors["amqp"], &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("sensor", "a")})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { client.conn.Close() })
	return client
}

func (e *errand) sendAMQP() error {
	return e.heardInAMQP(e.dialAMQP().send(e.address, goamqp.NewMessage([]byte("x"))))
}

func (e *errand) receiveAMQP() error {
	_, err := e.dialAMQP().session.NewReceiver(e.ctx, e.address, nil)
	return e.heardInAMQP(err)
}

// heardInAMQP wants the link to be detached with amqp:unauthorized-access (AMQP 1.0 section 2.8.15).
func (e *errand) heardInAMQP(err error) error {
	word := ""
	if refused, ok := errors.AsType[*goamqp.LinkError](err); ok && refused.RemoteErr != nil {
		word = string(refused.RemoteErr.Condition)
	} else if refused, ok := errors.AsType[*goamqp.Error](err); ok {
		word = string(refused.Condition)
	}
	return e.heard(err, word, "amqp:unauthorized-access")
}

func (e *errand) dialMQTT3() (client paho3.Client, lost <-chan error) {
	e.t.Helper()
	ended := make(chan error, 1)
	client = paho3.NewClient(paho3.NewClientOptions().AddBroker("tcp://" + e.doors["mqtt"]).SetProtocolVersion(4).
		SetUsername("sensor").SetPassword("a").SetAutoReconnect(false).
		SetConnectionLostHandler(func(_ paho3.Client, err error) { ended <- err }))
	if err := wait(client.Connect()); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { client.Disconnect(0) })
	return client, ended
}

// sendMQTT3 wants no acknowledgement but the end of the connection: MQTT 3.1.1 section 3.3.5 leaves nothing else.
func (e *errand) sendMQTT3() error {
	client, lost := e.dialMQTT3()
	err := wait(client.Publish(e.address, 1, false, "x"))
	word := ""
	if !e.may {
		select {
		case err = <-lost:
			word = "disconnect"
		case <-e.ctx.Done():
		}
	}
	return e.heard(err, word, "disconnect")
}

// receiveMQTT3 wants the return code 0x80 (MQTT 3.1.1 section 3.9.3).
func (e *errand) receiveMQTT3() error {
	client, _ := e.dialMQTT3()
	token := client.Subscribe(e.address, 1, nil)
	err := wait(token)
	code := token.(*paho3.SubscribeToken).Result()[e.address]
	if err == nil && code == 0x80 {
		err = errors.New("refused")
	}
	return e.heard(err, fmt.Sprintf("%#x", code), "0x80")
}

func (e *errand) dialMQTT5() *paho.Client {
	e.t.Helper()
	conn, err := new(net.Dialer).DialContext(e.ctx, "tcp", e.doors["mqtt"])
	if err != nil {
		e.t.Fatal(err)
	}
	client := paho.NewClient(paho.ClientConfig{Conn: conn})
	_, err = client.Connect(e.ctx, &paho.Connect{
		CleanStart: true, KeepAlive: 30,
		Username: "sensor", UsernameFlag: true, Password: []byte("a"), PasswordFlag: true,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { client.Disconnect(new(paho.Disconnect)) })
	return client
}

// sendMQTT5 wants 0x87 in the PUBACK (MQTT 5 section 3.4.2.1).
func (e *errand) sendMQTT5() error {
	answer, err := e.dialMQTT5().Publish(e.ctx, &paho.Publish{Topic: e.address, QoS: 1, Payload: []byte("x")})
	word := ""
	if answer != nil {
		word = fmt.Sprintf("%#x", answer.ReasonCode)
	}
	return e.heard(err, word, "0x87")
}

// receiveMQTT5 wants 0x87 in the SUBACK (MQTT 5 section 3.9.3).
func (e *errand) receiveMQTT5() error {
	answer, err := e.dialMQTT5().Subscribe(e.ctx, &paho.Subscribe{
		Subscriptions: []paho.SubscribeOptions{{Topic: e.address, QoS: 1}},
	})
	word := ""
	if answer != nil {
		word = fmt.Sprintf("%#x", answer.Reasons[0])
	}
	return e.heard(err, word, "0x87")
}

func (e *errand) dialSTOMP() *stomp.Conn {
	return dialSTOMP(e.t, e.doors["stomp"], stomp.ConnOpt.Login("sensor", "a"))
}

func (e *errand) sendSTOMP() error {
	return e.heardInSTOMP(e.dialSTOMP().Send(e.address, "", []byte("x"), stomp.SendOpt.Receipt))
}

func (e *errand) receiveSTOMP() error {
	conn := e.dialSTOMP()
	subscription, err := conn.Subscribe(e.address, stomp.AckClientIndividual)
	if err == nil && conn.Begin().AbortWithReceipt() != nil { // the connection has ended, and said why before
		err = (<-subscription.C).Err
	}
	return e.heardInSTOMP(err)
}

// heardInSTOMP wants an ERROR (STOMP 1.2, section ERROR).
func (e *errand) heardInSTOMP(err error) error {
	word := ""
	if err != nil {
		word = err.Error() // which is the header message
	}
	return e.heard(err, word, "denied")
}

func (e *errand) basic() http.Header {
	r := http.Request{Header: make(http.Header)}
	r.SetBasicAuth("sensor", "a")
	return r.Header
}

func (e *errand) sendHTTP() error { return e.askHTTP("messages", http.StatusCreated) }

func (e *errand) receiveHTTP() error {
	return e.askHTTP("messages/head?timeout=0", http.StatusNoContent)
}

// askHTTP wants 403 (RFC 9110 section 15.5.4).
func (e *errand) askHTTP(endpoint string, yes int) error {
	client := newHTTPClient(e.t, e.doors["http"])
	p, err := client.ask(e.ctx, http.MethodPost, pathOf("default", e.address, endpoint), e.basic(), []byte("x"))
	if want := either(e, yes, http.StatusForbidden); err == nil && p.code != want {
		err = fmt.Errorf("status %d, want %d: %s", p.code, want, p.body)
	}
	return err
}

func (e *errand) sendSocket() error {
	return e.giveSocket(order{Op: "send", Address: e.address, Message: new(draftOf(fields{dataBody: "x"}))}, http.StatusCreated)
}

func (e *errand) receiveSocket() error {
	return e.giveSocket(order{Op: "subscribe", Address: e.address, Subscription: 1}, http.StatusOK)
}

func (e *errand) giveSocket(o order, yes int) error {
	client := dialSocket(e.ctx, e.t, e.doors["http"], e.basic())
	return <-client.give(o, either(e, yes, http.StatusForbidden))
}

func (e *errand) sendCoAP() error { return e.askCoAP(codes.POST, "a/"+e.address, codes.Changed) }

func (e *errand) receiveCoAP() error {
	return e.askCoAP(codes.POST, "q/"+e.address+"/head", codes.Changed, "timeout=0")
}

// askCoAP wants 4.03 (RFC 7252 section 5.9.2.4).
func (e *errand) askCoAP(method codes.Code, path string, yes codes.Code, queries ...string) error {
	conn := dialCoAP(e.t, e.doors, "coap")
	request, err := coapRequest(e.ctx, conn, method, path)
	if err != nil {
		return err
	}
	for _, q := range append(queries, "user=sensor", "password=a") {
		request.AddQuery(q)
	}
	if method == codes.GET {
		request.SetObserve(0)
	}
	if _, err = doCoAP(conn, request, either(e, yes, codes.Forbidden)); err == nil && method == codes.GET {
		err = endObservation(conn, request)
	}
	return err
}

func (e *errand) observeCoAP() error { return e.askCoAP(codes.GET, "a/"+e.address, codes.Content) }
