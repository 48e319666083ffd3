package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway"
	"github.com/manifoldmq/manifold/gateway/config"
)

// administered runs a gateway until the test ends, and gives the URL of its admin API.
func administered(t *testing.T, text string) string {
	t.Helper()
	c, err := config.Parse("manifold.yaml", []byte("mqtt: {enabled: false}\nstomp: {enabled: false}\namqp: {enabled: false}\n"+
		"http: {enabled: false}\ncoap: {enabled: false}\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	c.DataDir, c.Admin.Port = t.TempDir(), 0
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- gateway.Run(ctx, c, gateway.Process{
			Log: slog.New(slog.DiscardHandler), Level: new(slog.LevelVar),
			Ready: func(doors []gateway.Endpoint) { ready <- "http://" + doors[0].Address.String() },
		})
	}()
	select {
	case url := <-ready:
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		return url
	case err := <-ended:
		stop()
		t.Fatal(err)
		return ""
	}
}

// operator runs commands against a gateway.
type operator struct {
	t   *testing.T
	url string
}

// runs runs a command that has to end with a code, and gives what it printed.
func (o operator) runs(code int, args ...string) string {
	o.t.Helper()
	var out, errs bytes.Buffer
	if got := execute(o.t.Context(), append(args, "--server", o.url), &out, &errs); got != code {
		o.t.Errorf("%s ends with %d, want %d: %s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// prints is runs for a command that has to print something.
func (o operator) prints(want string, code int, args ...string) {
	o.t.Helper()
	if got := o.runs(code, args...); got != want {
		o.t.Errorf("%s prints\n%s\nwant\n%s", strings.Join(args, " "), got, want)
	}
}

const acmeFile = `# of a person
tenants:
  - name: acme
    roles: [{name: boss, admin: true}]
    users:
      - {name: ann, roles: [boss]}
    addresses:
      - {name: jobs, kind: queue, maxBytes: 5MiB}
      - {name: "t/#", kind: topic, ttl: {default: 1h}}
`

func TestApplyShowsWhatItChanges(t *testing.T) {
	o := operator{t, administered(t, "addresses: [{name: old, kind: queue}]")}
	file := write(t, t.TempDir(), "acme.yaml", acmeFile)
	const made = "+ tenant acme\n" +
		"+   address jobs  kind: queue, maxBytes: 5MiB\n" +
		"+   address t/#  kind: topic, ttl.default: 1h\n" +
		"+   role boss  admin: true\n" +
		"+   user ann  roles[0]: boss\n"
	o.prints(made+"nothing was changed: this was a dry run\n", exitOK, "apply", "-f", file, "--dry-run")
	o.prints(made, exitOK, "apply", "-f", file)
	o.prints("  tenant acme: nothing to change\n", exitOK, "apply", "-f", file)
	more := write(t, t.TempDir(), "more.yaml", "name: acme\naddresses:\n  - {name: jobs, kind: queue, maxBytes: 9MiB}\n")
	o.prints("  tenant acme\n~   address jobs\n~     maxBytes: 5MiB -> 9MiB\n", exitOK, "apply", "-f", more)
	o.prints("  tenant acme\n-   address t/#\n-   role boss\n-   user ann\n", exitOK, "apply", "-f", filepath.Dir(more), "--prune")
	o.prints("NAME   KIND    SOURCE   SETTINGS\njobs   queue   api      maxBytes=9MiB\n", exitOK, "get", "addresses", "--tenant", "acme")
}

func TestPlansAreAppliedBeforeTenants(t *testing.T) {
	o := operator{t, administered(t, "")}
	file := write(t, t.TempDir(), "plans.yaml", "tenants: [{name: acme, plan: small}]\nplans: [{name: small, maxLinks: 5}]\n")
	o.prints("+ plan small  maxLinks: 5\n+ tenant acme  plan: small\n", exitOK, "apply", "-f", file)
	o.prints("  plan small: nothing to change\n  tenant acme: nothing to change\n", exitOK, "apply", "-f", file)
	o.prints("plans:\n  - {name: small, maxLinks: 5}\n", exitOK, "get", "plans", "-o", "yaml")
	if got := o.runs(exitFailed, "delete", "plan", "small"); !strings.Contains(got, "plan: no plan") {
		t.Errorf("it says %q", got)
	}
}

func TestWhatGetPrintsApplyTakes(t *testing.T) {
	o := operator{t, administered(t, "")}
	folder := t.TempDir()
	o.runs(exitOK, "apply", "-f", write(t, folder, "acme.yaml", acmeFile))
	shown := o.runs(exitOK, "get", "tenants", "-o", "yaml")
	if !strings.Contains(shown, "      - {name: jobs, kind: queue, maxBytes: 5MiB}\n") {
		t.Errorf("it shows\n%s", shown)
	}
	o.prints("  tenant acme: nothing to change\n", exitOK, "apply", "--prune", "-f", write(t, folder, "shown.yaml", shown))
	other := operator{t, administered(t, "")}
	other.runs(exitOK, "apply", "-f", filepath.Join(folder, "shown.yaml"))
	other.prints(shown, exitOK, "get", "tenants", "-o", "yaml")
	one := o.runs(exitOK, "get", "users", "ann", "--tenant", "acme", "-o", "yaml")
	if want := "tenants:\n  - name: acme\n    users:\n      - name: ann\n        roles: [boss]\n"; one != want {
		t.Errorf("one user is shown as\n%s\nwant\n%s", one, want)
	}
}

func TestMistakesAreSaidWithTheirPlace(t *testing.T) {
	o := operator{t, administered(t, "addresses: [{name: jobs, kind: queue}]")}
	file := write(t, t.TempDir(), "bad.yaml", "tenants:\n  - name: acme\n    addresses:\n      - {name: a, kind: queue}\n      - {name: b, kind: quue}\n")
	o.prints("manifold: "+file+`:5: addresses[1].kind: kind "quue" is not one of anycast, broadcast, queue, topic`+"\n", exitFailed, "apply", "-f", file)
	for _, c := range []struct {
		code int
		want string
		args string
	}{
		{exitUsage, `there is no type "thing"`, "get thing"},
		{exitUsage, `--output "xml" is not one of table, json, yaml`, "get tenants -o xml"},
		{exitUsage, "apply needs a file", "apply"},
		{exitUsage, "queues cannot be deleted", "delete queues jobs"},
		{exitUsage, "does not look like topic::name", "delete subscription jobs"},
		{exitFailed, `there is no user "zed"`, "delete user zed"},
		{exitFailed, "the configuration file declares it", "delete address jobs"},
		{exitFailed, `there is no connection "17"`, "get connections 17"},
		{exitFailed, "there is nothing of this name", "connections close 17"},
		{exitFailed, "no such file", "apply -f /no/such/file"},
	} {
		if got := o.runs(c.code, strings.Fields(c.args)...); !strings.Contains(got, c.want) {
			t.Errorf("%s says %q, want %q in it", c.args, got, c.want)
		}
	}
	nowhere := operator{t, "http://127.0.0.1:1"}
	if got := nowhere.runs(exitFailed, "get", "tenants"); !strings.Contains(got, "nobody listens at http://127.0.0.1:1") {
		t.Errorf("it says %q", got)
	}
	if got := (operator{t, "ftp://x"}).runs(exitUsage, "get", "tenants"); !strings.Contains(got, "--server does not look like") {
		t.Errorf("it says %q", got)
	}
}

func TestOperatorsShowWhoTheyAre(t *testing.T) {
	lines := strings.Split(operator{t, ""}.token(), "\n")
	o := operator{t, administered(t, "admin: {tokens: ["+strings.TrimPrefix(lines[1], "- ")+"]}")}
	if got := o.runs(exitFailed, "get", "tenants"); !strings.Contains(got, "say who you are") {
		t.Errorf("it says %q", got)
	}
	file := write(t, t.TempDir(), "token", lines[0]+"\n")
	o.runs(exitOK, "get", "tenants", "--token-file", file)
	t.Setenv("MANIFOLD_TOKEN", lines[0])
	o.runs(exitOK, "get", "tenants")
	t.Setenv("MANIFOLD_TOKEN", "another")
	if got := o.runs(exitFailed, "get", "tenants"); strings.Contains(got, "another") {
		t.Errorf("it repeats the token: %q", got)
	}
}

// token makes a token, and the line of the configuration that knows it.
func (o operator) token() string {
	var out, errs bytes.Buffer
	if code := execute(o.t.Context(), []string{"passwd", "--token", "ci"}, &out, &errs); code != exitOK {
		o.t.Fatal(errs.String())
	}
	return out.String()
}

func TestNodeIsToldWhatToDo(t *testing.T) {
	o := operator{t, administered(t, "tenants: [{name: a}, {name: b}]")}
	o.prints("info\n", exitOK, "node", "log-level")
	o.prints("debug\n", exitOK, "node", "log-level", "debug")
	o.prints("debug\n", exitOK, "node", "log-level")
	o.runs(exitFailed, "node", "log-level", "loud")
	o.runs(exitOK, "apply", "-f", write(t, t.TempDir(), "c.yaml", "name: c\n"))
	o.prints("tenant c disabled\n", exitOK, "tenant", "disable", "c")
	o.prints("NAME   SOURCE   PLAN   DISABLED   ADDRESSES   USERS   ROLES   WEBHOOKS\n"+
		"c      api      -      true       0           0       0       0\n", exitOK, "get", "tenants", "c")
	o.prints("tenant c enabled\n", exitOK, "tenant", "enable", "c")
	if got := o.runs(exitOK, "describe", "tenant", "c"); !strings.HasPrefix(got, "# tenant, declared by the api\nname: c\n\n# usage\n") {
		t.Errorf("it is described as\n%s", got)
	}
	o.prints("the gateway is stopping\n", exitOK, "node", "drain")
}

func TestShellsCompleteNamesOfTheServer(t *testing.T) {
	t.Setenv("MANIFOLD_SERVER", administered(t, "tenants: [{name: a}, {name: b, addresses: [{name: jobs, kind: queue}]}]"))
	for args, want := range map[string]string{
		"get tenants":                    "a\nb\n:4\n",
		"delete address --tenant b":      "jobs\n:4\n",
		"get addresses --tenant":         "a\nb\n:4\n",
		"get addresses jobs -o":          "table\njson\nyaml\n:4\n",
		"describe address more-than-one": ":4\n",
	} {
		var out, errs bytes.Buffer
		execute(t.Context(), append(append([]string{"__complete"}, strings.Fields(args)...), ""), &out, &errs)
		if out.String() != want {
			t.Errorf("%s is completed with %q, want %q", args, out.String(), want)
		}
	}
}
