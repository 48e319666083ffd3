package check

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// folder has what Prometheus is told.
var folder = filepath.Join("..", "prometheus")

func TestPromtoolTakesTheMetrics(t *testing.T) {
	doors := start(t)
	send(t, doors, "jobs", http.StatusCreated)
	send(t, doors, "alerts", http.StatusServiceUnavailable) // nobody is there
	page := get(t, "http://"+doors["admin"]+"/metrics")
	if !strings.Contains(page, `manifold_messages_not_accepted_total{kind="broadcast",reason="unroutable",tenant="default"} 1`) {
		t.Error("what was refused is not counted")
	}
	promtool := exec.Command("promtool", "check", "metrics")
	promtool.Stdin = strings.NewReader(page)
	if out, err := promtool.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestPromtoolTakesTheRules(t *testing.T) {
	output(t, "promtool", "check", "config", filepath.Join(folder, "prometheus.yaml"))
	output(t, "promtool", "check", "rules", filepath.Join(folder, "rules.yaml"))
	output(t, "promtool", "test", "rules", filepath.Join(folder, "rules_test.yaml"))
}

// alert is the part of a rule that tests are about.
type alert struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

// alerts are those of the rules.
func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alert }
	}
	if err := yaml.Unmarshal([]byte(read(t, "prometheus", "rules.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// TestEachAlertHasItsStory in rules_test.yaml, says how bad it is and what happened, and is explained in the handbook.
func TestEachAlertHasItsStory(t *testing.T) {
	stories := read(t, "prometheus", "rules_test.yaml")
	handbook := read(t, "..", "docs", "operations.md")
	for _, a := range alerts(t) {
		fires := regexp.MustCompile(`alertname: ` + a.Alert + `\b[^\n]*\n +eval_time: \S+[^\n]*\n +exp_alerts:`)
		if !fires.MatchString(stories) {
			t.Errorf("%s fires in no story", a.Alert)
		}
		if severity := a.Labels["severity"]; severity != "warning" && severity != "critical" {
			t.Errorf("%s has the severity %q", a.Alert, severity)
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s says too little", a.Alert)
		}
		if !strings.Contains(handbook, "`"+a.Alert+"`") {
			t.Errorf("docs/operations.md does not name %s", a.Alert)
		}
	}
}

// TestPromtoolTakesTheDashboard: its queries are expressions of Prometheus.
func TestPromtoolTakesTheDashboard(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	for _, p := range dashboard(t).Panels {
		for _, target := range p.Targets {
			expr, err := json.Marshal(strings.ReplaceAll(target.Expr, "$__rate_interval", "1m"))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&rules, "      - {record: panel_%d:%s, expr: %s}\n", p.ID, target.RefID, expr)
		}
	}
	output(t, "promtool", "check", "rules", write(t, "dashboard.yaml", rules.String()))
}

// TestPrometheusReadsTheGateway: with our files, and the gateway's address in them, it finds it ready and takes every rule.
func TestPrometheusReadsTheGateway(t *testing.T) {
	doors := start(t)
	rules := write(t, "rules.yaml", read(t, "prometheus", "rules.yaml"))
	configuration := strings.NewReplacer(
		"manifold:8081", doors["admin"], "interval: 15s", "interval: 1s", "- rules.yaml", "- "+rules,
	).Replace(read(t, "prometheus", "prometheus.yaml"))
	server := "http://" + startPrometheus(t, write(t, "prometheus.yaml", configuration))
	again := time.NewTicker(100 * time.Millisecond) // a scrape comes once a second
	defer again.Stop()
	given := time.After(time.Minute)
	for ready := []string(nil); len(ready) == 0 || ready[0] != "1"; ready = values(t, server, `manifold_ready{job="manifold"}`) {
		select {
		case <-again.C:
		case <-given:
			t.Fatal("Prometheus does not find the gateway ready within a minute")
		}
	}
	if firing := values(t, server, `ALERTS{alertstate="firing"}`); len(firing) > 0 {
		t.Errorf("%d alerts fire", len(firing))
	}
}

// startPrometheus runs Prometheus with a configuration until the test ends, and gives its address.
func startPrometheus(t *testing.T, file string) (address string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = free.Addr().String()
	free.Close() // for Prometheus, which cannot take a port that the system chooses and say which
	server := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+t.TempDir(),
		"--web.listen-address="+address, "--log.level=warn")
	server.Stderr = t.Output()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGTERM)
		server.Wait()
	})
	return address
}

// values asks Prometheus for an expression and gives the values of its series; none while it does not answer.
func values(t *testing.T, server, expr string) (all []string) {
	t.Helper()
	answer, err := http.Get(server + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return nil
	}
	defer answer.Body.Close()
	var found struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if answer.StatusCode != http.StatusOK {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		t.Fatal(err)
	}
	for _, series := range found.Data.Result {
		all = append(all, fmt.Sprint(series.Value[1]))
	}
	return all
}
