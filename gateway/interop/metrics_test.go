//go:build interop

package interop

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

// series is a line of the metrics: a name, labels and a number.
var series = regexp.MustCompile(`(?m)^(go_goroutines|go_memstats_next_gc_bytes|process_open_fds|manifold_\w+)(?:{.*})? (\S+)$`)

// figures tells what the process takes up: each metric by its name, added up over its labels, and how many links there are.
func (g *gateway) figures(t *testing.T) map[string]int {
	t.Helper()
	answer, err := http.Get("http://" + g.doors["admin"] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s, %v", answer.Status, text, err)
	}
	sums := make(map[string]int)
	for _, found := range series.FindAllSubmatch(text, -1) {
		n, err := strconv.ParseFloat(string(found[2]), 64)
		if err != nil {
			t.Fatal(err)
		}
		sums[string(found[1])] += int(n)
	}
	sums["links"] = g.links(t)
	return sums
}

// links counts what clients send to and receive from, up to a thousand.
func (g *gateway) links(t *testing.T) int {
	t.Helper()
	answer, err := http.Get("http://" + g.doors["admin"] + "/v1/links?limit=1000")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var page struct{ Items []any }
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", answer.Status, err)
	}
	return len(page.Items)
}
