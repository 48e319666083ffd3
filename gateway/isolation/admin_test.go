package isolation

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// operation is one that the admin API offers: a path with parameters in braces, and a method.
type operation struct{ path, method string }

// operations reads what the admin API says of itself.
func (w *world) operations(t *testing.T) (all []operation) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.doors["admin"]+"/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	for path, methods := range document.Paths {
		for method := range methods {
			if method = strings.ToUpper(method); !slices.Contains([]string{"PARAMETERS", "SUMMARY", "DESCRIPTION", "SERVERS"}, method) {
				all = append(all, operation{path, method})
			}
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// adminParty does what the admin API offers. The name stands for the tenant in one deed, and in the other for whatever else a
// path names, within the client's own tenant.
func adminParty(operations []operation) party {
	p := party{name: "admin API"}
	add := func(name, hear string, fill func(v *visit, parameter string) string) {
		for _, o := range operations {
			own := hear
			if o.method != http.MethodGet || !strings.Contains(o.path, "messages") {
				own = ""
			}
			p.deeds = append(p.deeds, deed{o.method + " " + o.path + " with " + name, func(v *visit) func() {
				path := parameter.ReplaceAllStringFunc(o.path, func(s string) string { return fill(v, s) })
				v.admin(o.method, path)
				return nil
			}, own})
		}
	}
	add("the tenant", "victim", func(v *visit, s string) string {
		if s == "{tenant}" {
			return url.PathEscape(v.name)
		}
		return "dead"
	})
	add("the name", "dead", func(v *visit, s string) string {
		if s == "{tenant}" {
			return v.seat.tenant
		}
		return url.PathEscape(v.name)
	})
	return p
}

// admin makes a request of the admin door. Its body says whatever an operation may want to hear.
func (v *visit) admin(method, path string) {
	conn := &httpConn{v.dial("tcp", "admin"), v, nil}
	body, err := json.Marshal(map[string]any{
		"name": v.name, "kind": "queue", "tenant": "victim", "to": v.name, "address": v.name, "body": v.mark(), "enabled": true,
	})
	if err != nil {
		return
	}
	if method == http.MethodGet {
		body = nil
	}
	conn.send(method, path, "Connection: close\r\n", string(body))
	io.Copy(io.Discard, conn)
}

// adminNames are tried in the place of a tenant's name, and of others.
var adminNames = []string{
	"victim", "VICTIM", "victim ", "victim/", "/victim", "../victim", "intruder/../victim", "./victim", "victim\x00", "\x00victim",
	"intruder\x00victim", "%76ictim", "victim%2F", "..%2Fvictim", "*", "**", "#", "victim,intruder", "intruder,victim", "victim;", "ｖictim",
	"vісtim", "jobs", "dead", "private/" + secret[:4], "telemetry/#::reports", "vic", "-", "", "_", "default", "0", "1", "2", "3",
}

// TestNoAdminCrosses: the admin of a tenant reaches only his own, by every operation of the admin API, and neither metrics nor
// anything else at that door tells him of others.
func TestNoAdminCrosses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := 0
	p := adminParty(w.operations(t))
	if len(p.deeds) < 40 {
		t.Fatalf("the admin API tells of %d operations only", len(p.deeds)/2)
	}
	for _, path := range []string{"/", "/metrics", "/docs", "/openapi.json", "/debug/pprof/", "/debug/pprof/cmdline", "/v1", "/v1/"} {
		p.deeds = append(p.deeds, deed{"GET " + path, func(v *visit) func() {
			v.admin(http.MethodGet, path)
			return nil
		}, ""})
	}
	for _, d := range p.deeds {
		t.Run(strings.ReplaceAll(d.name, "/", "."), func(t *testing.T) {
			var attempts []*attempt
			for _, name := range adminNames {
				attempts = append(attempts, &attempt{intruder, name})
			}
			cases += len(attempts)
			for _, crossed := range w.try(t, d, attempts) {
				t.Error(crossed)
			}
		})
	}
	t.Logf("%d cases", cases)
	for _, d := range p.deeds {
		if d.hear == "" {
			continue
		}
		w.speak(t)
		if len(w.try(t, d, []*attempt{{victim, d.hear}})) == 0 {
			t.Errorf("%s: %q by the victim's own admin is not seen", d.name, d.hear)
		}
	}
}
