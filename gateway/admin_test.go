package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// administered is a configuration with two tenants, each with an admin, somebody who manages some addresses, and a plain
// user, whose passwords are all the same, and with somebody who runs the gateway.
func administered(t *testing.T) config.Config {
	t.Helper()
	c := quickstart(t)
	c.Anonymous, c.Addresses = false, nil
	c.Login.Delay, c.Login.MaxDelay = 0, 0
	secret := credential(t, passwordA)
	c.Admin.Users = []config.Operator{{Name: "root", Credential: secret}}
	c.Admin.Tokens = []config.AuthToken{{Name: "ci", Hash: config.HashToken("token-of-ci")}}
	for _, name := range []string{"acme", "other"} {
		text := `tenants: [{name: ` + name + `, addresses: [{name: jobs, kind: queue}, {name: done, kind: queue}, {name: "t/#", kind: topic}],
			roles: [{name: boss, admin: true}, {name: keeper, manage: ["jobs"]}, {name: reader, receive: ["#"]}]}]`
		parsed, err := config.Parse("tenants.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		tenant := parsed.Tenants[0]
		for user, role := range map[string]string{"ann": "boss", "kim": "keeper", "bob": "reader"} {
			tenant.Users = append(tenant.Users, config.User{Name: user, Credential: secret, Roles: []string{role}})
		}
		c.Tenants = append(c.Tenants, tenant)
	}
	return c
}

// clerk asks the admin API.
type clerk struct {
	t     *testing.T
	admin string
	user  string // empty for nobody; "token" shows one
}

// reply is an answer of the admin API.
type reply struct {
	status int
	header http.Header
	body   string
}

// does sends a request; more are names and values of headers.
func (c clerk) does(method, path, body string, more ...string) reply {
	c.t.Helper()
	r, err := http.NewRequest(method, "http://"+c.admin+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	switch c.user {
	case "":
	case "token":
		r.Header.Set("Authorization", "Bearer token-of-ci")
	default:
		r.SetBasicAuth(c.user, "a")
	}
	for i := 0; i < len(more); i += 2 {
		if r.Header.Set(more[i], more[i+1]); more[i] == "Host" {
			r.Host = more[i+1]
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, string(text)}
}

// wants sends a request that has to be answered with a status.
func (c clerk) wants(status int, method, path, body string, more ...string) reply {
	c.t.Helper()
	got := c.does(method, path, body, more...)
	if got.status != status {
		c.t.Errorf("%s %s of %q gives status %d, want %d: %.300s", method, path, c.user, got.status, status, got.body)
	}
	return got
}

// TestAdminAPIShowsATenantToItsOwn: each operation for who runs the gateway, the admin of a tenant, who manages one of its
// queues, a plain user, the admin of another tenant, and nobody. What is not for somebody is answered like what does not
// exist.
func TestAdminAPIShowsATenantToItsOwn(t *testing.T) {
	admin := startOn(t, vfs.NewMem(), administered(t), slog.New(slog.DiscardHandler))["admin"]
	callers := []string{"root", "token", "ann@acme", "kim@acme", "bob@acme", "ann@other", ""}
	const ok, done, no, missing, who, file = 200, 204, 403, 404, 401, 409
	for _, c := range []struct {
		method, path, body string
		want               [7]int // by caller
	}{
		{"GET", "/v1/tenants", "", [7]int{ok, ok, ok, ok, ok, ok, who}},
		{"GET", "/v1/tenants/acme", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"GET", "/v1/tenants/acme/usage", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PATCH", "/v1/tenants/acme", `{"addresses":[{"name":"more","kind":"queue"}]}`, [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PATCH", "/v1/tenants/acme", `{"anonymous":true}`, [7]int{file, file, file, missing, missing, missing, who}},
		{"PUT", "/v1/tenants/new-one?dryRun=true", `{}`, [7]int{ok, ok, missing, missing, missing, missing, who}},
		{"DELETE", "/v1/tenants/acme", "", [7]int{file, file, no, missing, missing, missing, who}},
		{"POST", "/v1/tenants/acme/disable", "", [7]int{file, file, file, missing, missing, missing, who}},
		{"GET", "/v1/tenants/acme/users", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"GET", "/v1/tenants/acme/users/bob", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PUT", "/v1/tenants/acme/users/zoe", `{"password":"something"}`, [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"GET", "/v1/tenants/acme/roles", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PUT", "/v1/tenants/acme/roles/extra", `{"send":["#"]}`, [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"GET", "/v1/tenants/acme/webhooks", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PUT", "/v1/tenants/acme/webhooks/w?dryRun=true", `{"from":"jobs","url":"https://a.example/"}`, [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PUT", "/v1/tenants/acme/webhooks/w?dryRun=true", `{"from":"jobs","url":"https://a.example/","secretFile":"/dev/null"}`,
			[7]int{422, 422, no, missing, missing, missing, who}},
		{"GET", "/v1/tenants/acme/addresses", "", [7]int{ok, ok, ok, ok, missing, missing, who}},
		{"GET", "/v1/tenants/acme/addresses/jobs", "", [7]int{ok, ok, ok, ok, missing, missing, who}},
		{"GET", "/v1/tenants/acme/addresses/done", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PUT", "/v1/tenants/acme/addresses/jobs", `{"kind":"topic"}`, [7]int{file, file, file, file, missing, missing, who}},
		{"PUT", "/v1/tenants/acme/addresses/own", `{"kind":"topic"}`, [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"PUT", "/v1/tenants/acme/addresses/way?dryRun=true", `{"kind":"anycast","waypoint":{"connectors":["x"]}}`,
			[7]int{422, 422, no, missing, missing, missing, who}},
		{"DELETE", "/v1/tenants/acme/addresses/own", "", [7]int{ok, missing, missing, missing, missing, missing, who}},
		{"POST", "/v1/tenants/acme/queues/jobs/messages", `{"body":"x"}`, [7]int{done, done, done, no, missing, missing, who}},
		{"GET", "/v1/tenants/acme/queues", "", [7]int{ok, ok, ok, ok, missing, missing, who}},
		{"GET", "/v1/tenants/acme/queues/jobs", "", [7]int{ok, ok, ok, ok, missing, missing, who}},
		{"GET", "/v1/tenants/acme/queues/jobs/messages", "", [7]int{ok, ok, ok, ok, missing, missing, who}},
		{"POST", "/v1/tenants/acme/queues/jobs/copy?to=done", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"POST", "/v1/tenants/acme/queues/jobs/purge", "", [7]int{ok, ok, ok, ok, missing, missing, who}},
		{"DELETE", "/v1/tenants/acme/queues/jobs/messages/1", "", [7]int{missing, missing, missing, missing, missing, missing, who}},
		{"GET", "/v1/tenants/acme/sessions", "", [7]int{ok, ok, ok, missing, missing, missing, who}},
		{"DELETE", "/v1/tenants/acme/sessions/pump", "", [7]int{missing, missing, missing, missing, missing, missing, who}},
		{"DELETE", "/v1/tenants/acme/subscriptions/t%2F%23/s", "", [7]int{missing, missing, missing, missing, missing, missing, who}},
		{"GET", "/v1/connections", "", [7]int{ok, ok, ok, missing, missing, ok, who}},
		{"GET", "/v1/links", "", [7]int{ok, ok, ok, missing, missing, ok, who}},
		{"DELETE", "/v1/connections/1", "", [7]int{missing, missing, missing, missing, missing, missing, who}},
		{"GET", "/v1/topology", "", [7]int{ok, ok, missing, missing, missing, missing, who}},
		{"GET", "/v1/plans", "", [7]int{ok, ok, missing, missing, missing, missing, who}},
		{"PUT", "/v1/plans/small", `{"maxLinks":5}`, [7]int{ok, ok, missing, missing, missing, missing, who}},
		{"GET", "/v1/plans/small", "", [7]int{ok, ok, missing, missing, missing, missing, who}},
		{"DELETE", "/v1/plans/small", "", [7]int{ok, missing, missing, missing, missing, missing, who}},
		{"GET", "/metrics", "", [7]int{ok, ok, missing, missing, missing, missing, who}},
		{"PUT", "/v1/log", `{"level":"info"}`, [7]int{missing, missing, missing, missing, missing, missing, who}}, // this process has none
		{"POST", "/v1/reload", "", [7]int{missing, missing, missing, missing, missing, missing, who}},
		{"GET", "/v1/nothing", "", [7]int{missing, missing, missing, missing, missing, missing, who}},
		{"POST", "/v1/drain", "", [7]int{0, 0, missing, missing, missing, missing, who}}, // 0: not tried
	} {
		for i, user := range callers {
			if c.want[i] == 0 {
				continue
			}
			clerk := clerk{t, admin, user}
			got := clerk.wants(c.want[i], c.method, c.path, c.body)
			if i < 2 || got.status != missing || !strings.Contains(c.path, "acme") {
				continue
			}
			nowhere := clerk.does(c.method, strings.Replace(c.path, "acme", "no-such", 1), c.body)
			if nowhere.status != got.status || nowhere.body != got.body {
				t.Errorf("%s %s of %q says %q, but of what does not exist %q", c.method, c.path, user, got.body, nowhere.body)
			}
		}
	}
	for user, want := range map[string]string{"ann@acme": "acme", "ann@other": "other"} {
		got := clerk{t, admin, user}.wants(ok, "GET", "/v1/tenants", "")
		if names := membersOf(t, got.body, "name"); len(names) != 1 || names[0] != want {
			t.Errorf("%s sees the tenants %v", user, names)
		}
	}
	if names := membersOf(t, clerk{t, admin, "kim@acme"}.does("GET", "/v1/tenants/acme/queues", "").body, "name"); len(names) != 1 {
		t.Errorf("who manages jobs sees the queues %v", names)
	}
}

// membersOf gives a member of each item of a page.
func membersOf(t *testing.T, body, member string) (names []string) {
	t.Helper()
	var page struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err)
	}
	for _, item := range page.Items {
		names = append(names, fmt.Sprint(item[member]))
	}
	return names
}

// TestAdminAPIKeepsForeignPagesOut: what a browser sends on behalf of a page of elsewhere is refused, and nobody is let in
// without showing anything under a name that somebody else could have given to this host.
func TestAdminAPIKeepsForeignPagesOut(t *testing.T) {
	c := quickstart(t)
	c.Admin.Hosts = []string{"console.example"}
	admin := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))["admin"]
	nobody := clerk{t, admin, ""}
	_, port, _ := strings.Cut(admin, ":")
	for _, c := range []struct {
		want   int
		header []string
	}{
		{200, nil},
		{200, []string{"Host", "localhost:" + port}},
		{200, []string{"Host", "[::1]:" + port}},
		{200, []string{"Host", "console.example"}},
		{401, []string{"Host", "evil.example"}},
		{401, []string{"Host", "evil.example:" + port}},
		{401, []string{"Host", "192.0.2.1"}},
		{401, []string{"X-Forwarded-For", "192.0.2.1"}},
		{401, []string{"Forwarded", "for=192.0.2.1"}},
		{200, []string{"Origin", "http://" + admin, "Sec-Fetch-Site", "same-origin"}},
		{403, []string{"Origin", "http://evil.example"}},
		{403, []string{"Origin", "null"}},
		{403, []string{"Origin", "https://" + admin}},
		{403, []string{"Sec-Fetch-Site", "cross-site"}},
		{403, []string{"Sec-Fetch-Site", "same-site"}},
		{401, []string{"Authorization", "Bearer wrong"}},
		{401, []string{"Authorization", "Negotiate x"}},
	} {
		nobody.wants(c.want, "GET", "/v1/tenants", "", c.header...)
	}
}

// TestAdminAPIChangesOnTerms: entity tags, dry runs, what the file declares, and problems that name the field.
func TestAdminAPIChangesOnTerms(t *testing.T) {
	admin := startOn(t, vfs.NewMem(), administered(t), slog.New(slog.DiscardHandler))["admin"]
	root := clerk{t, admin, "root"}
	const path = "/v1/tenants/acme/addresses/a%2Fb"
	root.wants(412, "PUT", path, `{"kind":"queue"}`, "If-Match", "*")
	root.wants(200, "PUT", path+"?dryRun=true", `{"kind":"queue"}`)
	root.wants(404, "GET", path, "")
	made := root.wants(200, "PUT", path, `{"kind":"queue"}`, "If-None-Match", "*")
	root.wants(412, "PUT", path, `{"kind":"queue"}`, "If-None-Match", "*")
	got := root.wants(200, "GET", path, "")
	if got.header.Get("ETag") != made.header.Get("ETag") || got.header.Get("Manifold-Source") != "api" || got.body != `{"name":"a/b","kind":"queue"}`+"\n" {
		t.Errorf("it is %s with %v", got.body, got.header)
	}
	root.wants(200, "PUT", path, `{"kind":"queue","maxBytes":"1MiB"}`, "If-Match", got.header.Get("ETag"))
	root.wants(412, "PUT", path, `{"kind":"queue"}`, "If-Match", got.header.Get("ETag"))
	root.wants(412, "DELETE", path, "", "If-Match", got.header.Get("ETag"))
	for body, want := range map[string]string{
		`{"kind":"quue"}`:                         `"location":"body.kind"`,
		`{"kind":"queue","ttl":{"max":1}}`:        `"location":"body.ttl.max"`,
		`{"kind":"queue","nam":"x"}`:              `did you mean \"name\"?`,
		`{"kind":"queue","name":"other"}`:         `"location":"body.name"`,
		`{"kind":"queue"`:                         `this is no JSON`,
		`[]`:                                      `keys with values are expected`,
		`{"kind":"queue","kind":"topic"}`:         `is there twice`,
		`{"kind":"queue","deadLetter":"nowhere"}`: `is not declared as a queue`,
	} {
		if got := root.wants(422, "PUT", path, body); !strings.Contains(got.body, want) || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s gives %s, want %s in it", body, got.body, want)
		}
	}
	root.wants(422, "GET", "/v1/tenants?limit=0", "")
	root.wants(422, "GET", "/v1/tenants?limit=1001", "")
	root.wants(422, "GET", "/v1/tenants?lmit=10", "")
	root.wants(200, "PUT", "/v1/tenants/new-one", `{"addresses":[{"name":"x","kind":"queue"}]}`)
	root.wants(200, "POST", "/v1/tenants/new-one/disable", "")
	if got := root.wants(200, "GET", "/v1/tenants/new-one", ""); !strings.Contains(got.body, `"disabled":true`) {
		t.Errorf("it is %s", got.body)
	}
	root.wants(200, "PUT", "/v1/tenants/new-one", `{}`)
	root.wants(200, "DELETE", "/v1/tenants/new-one", "")
	root.wants(404, "DELETE", "/v1/tenants/new-one", "")
	root.wants(422, "PUT", "/v1/tenants/Not_A_Name", `{}`)
}

// TestAdminAPIPagesThroughLists: pages are in the order of names, and each thing is on one of them.
func TestAdminAPIPagesThroughLists(t *testing.T) {
	admin := startOn(t, vfs.NewMem(), administered(t), slog.New(slog.DiscardHandler))["admin"]
	root := clerk{t, admin, "root"}
	for i := range 7 {
		root.wants(200, "PUT", fmt.Sprintf("/v1/tenants/acme/addresses/q%d", i), `{"kind":"queue"}`)
		root.wants(204, "POST", fmt.Sprintf("/v1/tenants/acme/queues/q%d/messages", i), `{"body":"x"}`)
		root.wants(204, "POST", "/v1/tenants/acme/queues/q0/messages", `{"body":"x"}`)
	}
	for path, want := range map[string]int{"addresses": 10, "queues": 7, "queues/q0/messages": 8, "users": 3} {
		count, after := 0, ""
		for pages := 0; ; pages++ {
			var page struct {
				Items []map[string]any
				Next  string
			}
			got := root.wants(200, "GET", "/v1/tenants/acme/"+path+"?limit=2&after="+url.QueryEscape(after), "")
			if err := json.Unmarshal([]byte(got.body), &page); err != nil {
				t.Fatal(err)
			}
			if count += len(page.Items); page.Next == "" || pages > 20 {
				break
			}
			after = page.Next
		}
		if count != want {
			t.Errorf("%s: %d in pages of two, want %d", path, count, want)
		}
	}
}

// TestAuditLogTellsWhoChangedWhat: each change over the API is in the audit log, without the password.
func TestAuditLogTellsWhoChangedWhat(t *testing.T) {
	c := administered(t)
	c.Audit.File = filepath.Join(t.TempDir(), "audit.log")
	t.Run("life", func(t *testing.T) {
		admin := start(t, c)["admin"]
		clerk{t, admin, "ann@acme"}.wants(200, "PUT", "/v1/tenants/acme/users/zoe", `{"password":"very-secret-word"}`)
		clerk{t, admin, "token"}.wants(200, "PUT", "/v1/tenants/fresh", `{}`)
	})
	text, err := os.ReadFile(c.Audit.File)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"tenant":"acme","user":"ann@acme","protocol":"admin"`, `"what":"user","name":"zoe","change":"added"`,
		`"tenant":"fresh","user":"ci","protocol":"admin"`,
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the log lacks %s:\n%s", want, text)
		}
	}
	if bytes.Contains(text, []byte("very-secret")) {
		t.Error("the password is in it")
	}
}

// FuzzAdminAPI: whatever somebody sends, nothing fails but the request.
func FuzzAdminAPI(f *testing.F) {
	for _, body := range []string{`{"kind":"queue"}`, `{"name":null}`, `{"users":[{"name":"a","credential":"kept"}]}`, `[[[[`, "\x00", `{"ttl":{"max":"1h"}}`,
		`{"addresses":[{"name":"a","kind":"queue","redeliveryDelay":{"multiplier":1e400}}]}`} {
		f.Add("PUT", "addresses/x", body)
		f.Add("PATCH", "", body)
	}
	f.Add("GET", "addresses?limit=5&after=%ff", "")
	f.Add("POST", "queues/jobs/purge?selector=a%20%3d", "")
	var admin string
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if admin == "" {
			c := administered(t)
			c.MQTT.Enabled, c.AMQP.Enabled, c.STOMP.Enabled, c.HTTP.Enabled, c.CoAP.Enabled = false, false, false, false, false
			admin = startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))["admin"]
			t.Cleanup(func() { admin = "" })
		}
		u, err := url.Parse("http://" + admin + "/v1/tenants/acme/" + path)
		if err != nil || u.Host != admin {
			return
		}
		r, err := http.NewRequest(method, u.String(), strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Authorization", "Bearer token-of-ci")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return // no request that HTTP has
		}
		defer answer.Body.Close()
		if answer.StatusCode >= 500 {
			t.Errorf("%s %s with %q gives %s", method, path, body, answer.Status)
		}
	})
}
