package http

import (
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// devicePaths are those of the document that are for devices.
var devicePaths = []string{
	"/telemetry", "/telemetry/{tenant}/{device}", "/event", "/event/{tenant}/{device}",
	"/command/res/{request}", "/command/res/{tenant}/{device}/{request}",
}

// devices gives a tenant with the addresses of configs/hono.yaml, but that telemetry and events are stored.
func devices(t testing.TB, name string, anonymous bool, users ...tenancy.User) *tenancy.Tenant {
	t.Helper()
	space, err := addressing.NewSpace([]addressing.Definition{
		{Name: filter(t, "telemetry/*"), Kind: addressing.Queue},
		{Name: filter(t, "event/*"), Kind: addressing.Queue},
		{Name: filter(t, "command/*/req/#"), Kind: addressing.Anycast},
		{Name: filter(t, "command/*/res/#"), Kind: addressing.Broadcast},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &tenancy.Tenant{Name: name, Addresses: space, Anonymous: anonymous, Users: users}
}

// plant is a tenant whose devices show who they are: sensor1 and gateway, with the password secret.
func plant(t testing.TB) *tenancy.Tenant {
	t.Helper()
	credential, err := tenancy.NewCredential(tenancy.SCRAMSHA256, "secret")
	if err != nil {
		t.Fatal(err)
	}
	return devices(t, "plant", false,
		tenancy.User{Name: "sensor1", Credential: credential}, tenancy.User{Name: "gateway", Credential: credential})
}

// yard is a tenant whose devices are who they say.
func yard(t testing.TB) *tenancy.Tenant { return devices(t, "yard", true) }

// basic gives the header of a user with the password secret.
func basic(user string) string {
	var r nethttp.Request
	r.Header = make(nethttp.Header)
	r.SetBasicAuth(user, "secret")
	return "Authorization: " + r.Header.Get("Authorization")
}

func TestDevicesSendAsToHono(t *testing.T) {
	const text, asJSON = "Content-Type: text/plain", "Content-Type: application/json"
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
		address            string // where it is then
	}{
		{"POST", "/telemetry", "1", []string{basic("sensor1@plant"), asJSON}, 202, "plant telemetry/sensor1"},
		{"POST", "/t", "1", []string{basic("sensor1@plant"), asJSON, "Qos-Level: 1"}, 202, "plant telemetry/sensor1"},
		{"POST", "/event", "1", []string{basic("sensor1@plant"), asJSON, "Hono-Ttl: 60"}, 202, "plant event/sensor1"},
		{"POST", "/event?hono-ttl=60", "1", []string{basic("sensor1@plant"), asJSON}, 202, "plant event/sensor1"},
		{"PUT", "/telemetry/plant/4711", "1", []string{basic("gateway@plant"), text}, 202, "plant telemetry/4711"},
		{"PUT", "/event//4711", "1", []string{basic("gateway@plant"), text}, 202, "plant event/4711"},
		{"PUT", "/e/yard/4711", "1", []string{text}, 202, "yard event/4711"},
		{"POST", "/event", "1", []string{basic("anyone@yard"), text}, 202, "yard event/anyone"},
		{"POST", "/event", "", []string{basic("anyone@yard"), "Content-Type: " + emptyNotification}, 202, "yard event/anyone"},

		{"POST", "/telemetry", "1", []string{text}, 401, ""},
		{"POST", "/telemetry", "1", []string{basic("nobody@plant"), text}, 401, ""},
		{"PUT", "/telemetry/yard/4711", "1", []string{basic("gateway@plant"), text}, 401, ""},
		{"PUT", "/telemetry/plant/4711", "1", []string{text}, 401, ""},
		{"PUT", "/telemetry/yard/a%2Fb", "1", []string{text}, 400, ""},
		{"PUT", "/telemetry/yard/%23", "1", []string{text}, 400, ""},
		{"PUT", "/telemetry/yard/4711", "1", nil, 400, ""},
		{"PUT", "/telemetry/yard/4711", "", []string{text}, 400, ""},
		{"PUT", "/telemetry/yard/4711", "1", []string{text, "Qos-Level: 2"}, 400, ""},
		{"PUT", "/telemetry/yard/4711", "1", []string{text, "Hono-Ttd: soon"}, 400, ""},
		{"PUT", "/telemetry/yard/4711?hono-tdt=1", "1", []string{text}, 400, ""},
		{"PUT", "/event/yard/4711", "1", []string{text, "Hono-Ttl: -1"}, 400, ""},
		{"GET", "/telemetry", "", nil, 405, ""},
		{"POST", "/telemetry/yard", "1", nil, 404, ""},
		{"POST", "/command/req/yard/4711/1", "1", nil, 404, ""},
		{"POST", "/telemetry", "1", []string{basic("sensor1@plant"), text, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403, ""},
		{"OPTIONS", "/telemetry", "", nil, 204, ""},
	} {
		inBubble(t, Limits{}, func(t *testing.T, d *door) {
			d.do(c.status, c.method, c.path, c.body, c.headers...)
			if c.address == "" {
				return
			}
			tenant, address, _ := strings.Cut(c.address, " ")
			user := "gateway"
			a := d.do(200, "POST", "/v1/"+tenant+"/"+address+"/messages/head", "", basic(user))
			_, device, _ := strings.Cut(address, "/")
			properties := strings.Join(a.Header.Values("Manifold-Property"), " ")
			path, _, _ := strings.Cut(c.path, "?")
			if want := "device_id=" + device + " orig_adapter=hono-http orig_address=" + path; a.body != c.body || properties != want {
				t.Errorf("%s %s: %q with %q, want %q", c.method, c.path, a.body, properties, want)
			}
			if lives := a.Header.Get("Manifold-Ttl"); strings.Contains(c.path+strings.Join(c.headers, " "), "60") && lives != "60" {
				t.Errorf("%s %s: it lives %s", c.method, c.path, lives)
			}
		})
	}
}

func TestCommandComesWithTheAnswer(t *testing.T) {
	const at = "/v1/yard/command/4711/req/"
	for _, c := range []struct {
		address, request string
	}{{"id7/set", "id7"}, {"/set", ""}} {
		inBubble(t, Limits{}, func(t *testing.T, d *door) {
			reported, commanded := make(chan answer), make(chan answer)
			go func() {
				reported <- d.do(200, "PUT", "/telemetry/yard/4711", "21.5", "Content-Type: text/plain", "Hono-Ttd: 30")
			}()
			m := d.do(200, "POST", "/v1/yard/telemetry/4711/messages/head?timeout=10", "")
			if got := m.Header.Values("Manifold-Property"); len(got) != 4 || got[3] != "ttd=30" {
				t.Errorf("%q", got)
			}
			go func() {
				commanded <- d.do(201, "POST", at+c.address+"/messages", `{"brightness":87}`, "Content-Type: application/json")
			}()
			a := <-reported
			if a.body != `{"brightness":87}` || a.Header.Get("Hono-Command") != "set" || a.Header.Get("Hono-Cmd-Req-Id") != c.request ||
				a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Hono-Cmd-Target-Device") != "" {
				t.Errorf("%q with %v", a.body, a.Header)
			}
			<-commanded
		})
	}
}

func TestDeviceWaitsNoLongerThanItSays(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for ttd, want := range map[string]time.Duration{"5": 5 * time.Second, "600": time.Minute, "0": 0} {
			begun := time.Now()
			d.do(202, "PUT", "/event/yard/4711?hono-ttd="+ttd, "x", "Content-Type: text/plain")
			if waited := time.Since(begun); waited != want {
				t.Errorf("hono-ttd %s: %v", ttd, waited)
			}
		}
	})
}

func TestCommandIsForTheDeviceThatIsAskedFor(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		reported := make(chan answer)
		go func() {
			reported <- d.do(200, "PUT", "/t/plant/4711", "x", "Content-Type: text/plain", "Hono-Ttd: 30", basic("gateway@plant"))
		}()
		d.do(200, "POST", "/v1/plant/telemetry/4711/messages/head?timeout=10", "", basic("gateway"))
		pass(time.Second)
		d.do(201, "POST", "/v1/plant/command/4711/req/1/set/messages", "", basic("gateway"))
		if a := <-reported; a.Header.Get("Hono-Cmd-Target-Device") != "4711" {
			t.Errorf("%v", a.Header)
		}
		d.do(503, "POST", "/v1/plant/command/4711/req/1/set/messages", "", basic("gateway")) // nobody waits any more
	})
}

func TestDeviceAnswersACommand(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(400, "PUT", "/command/res/yard/4711/id7", "done")
		d.do(400, "PUT", "/command/res/yard/4711/id7?hono-cmd-status=99", "done")
		d.do(503, "PUT", "/command/res/yard/4711/id7?hono-cmd-status=200", "done") // nobody waits for it
		from, _ := d.consume("yard", "command/*/res/#")
		d.do(202, "PUT", "/command/res/yard/4711/id7?hono-cmd-status=200", "done")
		d.do(202, "POST", "/command/res/id8", "", basic("4712@yard"), "Hono-Cmd-Status: 503")
		for _, want := range []string{"command/4711/res/id7/200", "command/4712/res/id8/503"} {
			if got := <-from; string(got.To) != want {
				t.Errorf("%s, want %s", got.To, want)
			}
		}
	})
}
