package gateway

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/goccy/go-yaml"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// TestAlertsAndDashboardNameWhatMetricsTell: each metric and each label in deploy is on the page of a gateway to which
// everything has happened that has a metric.
func TestAlertsAndDashboardNameWhatMetricsTell(t *testing.T) {
	metrics, labels := vocabulary(metricsOf(t, startBusy(t)))
	for _, name := range []string{"up", "ALERTS"} { // Prometheus makes these itself
		metrics[name] = true
	}
	for _, name := range []string{"job", "instance", "alertname", "alertstate"} {
		labels[name] = true
	}
	for file, read := range map[string]func(*testing.T, []byte) []string{
		"../deploy/prometheus/rules.yaml": expressionsOfRules,
		"../deploy/grafana/manifold.json": expressionsOfDashboard,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		expressions := read(t, text)
		if len(expressions) < 10 {
			t.Errorf("%s has %d expressions", file, len(expressions))
		}
		for _, expression := range expressions {
			usedMetrics, usedLabels := namesIn(expression)
			for _, name := range usedMetrics {
				if !metrics[name] {
					t.Errorf("%s: there is no metric %s: %s", file, name, expression)
				}
			}
			for _, name := range usedLabels {
				if !labels[name] {
					t.Errorf("%s: there is no label %s: %s", file, name, expression)
				}
			}
		}
	}
}

// startBusy runs a gateway with everything on it, and has it refuse what it refuses.
func startBusy(t *testing.T) (doors map[string]string) {
	t.Helper()
	c, err := config.Parse("busy.yaml", []byte(`
anonymous: true
addresses:
  - {name: jobs, kind: queue}
  - {name: others, kind: queue}
  - {name: alerts, kind: broadcast}
webhooks: [{name: hook, from: others, url: "https://hook.example"}]
`))
	if err != nil {
		t.Fatal(err)
	}
	free := quickstart(t)
	c.DataDir, c.MQTT, c.AMQP, c.STOMP, c.CoAP, c.Admin = free.DataDir, free.MQTT, free.AMQP, free.STOMP, free.CoAP, free.Admin
	c.HTTP.Port, c.CoAP.Port = 0, 0
	c.Tracing.Endpoint, c.Tracing.Ratio = gatewaytest.NewCollector(t).URL, 1
	doors = startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	enterAMQP(t, doors).fill("jobs", 1)
	if code := post(t, "http://"+doors["http"]+"/v1/default/alerts/messages", "x"); code != http.StatusServiceUnavailable {
		t.Fatalf("sending to nobody gave status %d", code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	askCoAP(ctx, t, dialCoAP(t, doors, "coap"), codes.NotFound, codes.GET, "/nowhere", nil)
	return doors
}

// vocabulary gives the names of metrics and of labels in series.
func vocabulary(series map[string]string) (metrics, labels map[string]bool) {
	metrics, labels = make(map[string]bool), make(map[string]bool)
	for s := range series {
		name, rest, _ := strings.Cut(s, "{")
		metrics[name] = true
		for _, label := range labelOfSeries.FindAllStringSubmatch(rest, -1) {
			labels[label[1]] = true
		}
	}
	return metrics, labels
}

func expressionsOfRules(t *testing.T, text []byte) (expressions []string) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Expr string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			expressions = append(expressions, rule.Expr)
		}
	}
	return expressions
}

// expressionsOfDashboard gives what stands under the key expr, however deep, and what variables are read from.
func expressionsOfDashboard(t *testing.T, text []byte) (expressions []string) {
	t.Helper()
	var dashboard any
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			for key, each := range v {
				if s, ok := each.(string); ok && (key == "expr" || key == "definition") {
					expressions = append(expressions, s)
				}
				walk(each)
			}
		}
	}
	walk(dashboard)
	return expressions
}

// The parts of an expression of PromQL, as far as they bear names.
var (
	labelOfSeries = regexp.MustCompile(`(\w+)="`)
	textInQuotes  = regexp.MustCompile(`"[^"]*"`)
	timeRange     = regexp.MustCompile(`\[[^\]]*\]|offset \w+`)
	matchers      = regexp.MustCompile(`\{([^}]*)\}`)
	labelValues   = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	grouping      = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right) *\(([^)]*)\)`)
	word          = regexp.MustCompile(`[A-Za-z_]\w*`)
	function      = regexp.MustCompile(`\b\w+ *\(`)
)

// namesIn gives the metrics and labels that an expression names. Functions, and words of the language, are neither.
func namesIn(expression string) (metrics, labels []string) {
	if query := labelValues.FindStringSubmatch(expression); query != nil {
		expression, labels = query[1], append(labels, query[2])
	}
	expression = textInQuotes.ReplaceAllString(expression, "")
	expression = timeRange.ReplaceAllString(expression, "")
	for _, part := range []*regexp.Regexp{matchers, grouping} {
		for _, names := range part.FindAllStringSubmatch(expression, -1) {
			labels = append(labels, word.FindAllString(names[1], -1)...)
		}
		expression = part.ReplaceAllString(expression, "")
	}
	expression = function.ReplaceAllString(expression, "(")
	metrics = slices.DeleteFunc(word.FindAllString(expression, -1), func(s string) bool {
		return slices.Contains([]string{"and", "or", "unless", "by", "bool", "group_left", "group_right"}, s)
	})
	return metrics, labels
}

// TestNamesAreFoundInExpressions of the forms that deploy uses.
func TestNamesAreFoundInExpressions(t *testing.T) {
	for _, c := range []struct{ expression, metrics, labels string }{
		{`a == 0`, "a", ""},
		{`rate(a{x="1", y!~"b c"}[5m]) / on (p, q) group_left sum by (z) (b offset 10m) > 1`, "a b", "x y p q z"},
		{`topk(10, a) or vector(0) and predict_linear(b[1h], 4 * 3600) < 0`, "a b", ""},
		{`label_values(a{x="$x"}, y)`, "a", "y x"},
	} {
		metrics, labels := namesIn(c.expression)
		if strings.Join(metrics, " ") != c.metrics || strings.Join(labels, " ") != c.labels {
			t.Errorf("%s has the metrics %q and the labels %q", c.expression, metrics, labels)
		}
	}
}
