package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
)

// BenchmarkThousandTenants declares 1,000 tenants with 100 addresses and 10 users each through the admin API, and tells how
// long that takes, how long a change of one of them and a page of a list take then, how much memory the process has, and
// how long the next start takes.
func BenchmarkThousandTenants(b *testing.B) {
	const tenants = 1000
	c, err := config.Parse("scale.yaml", []byte("mqtt: {port: 0, webSocket: {enabled: false}}\namqp: {port: 0}\n"+
		"stomp: {port: 0}\nhttp: {port: 0}\ncoap: {port: 0}\nadmin: {port: 0}\n"))
	if err != nil {
		b.Fatal(err)
	}
	c.DataDir = b.TempDir()
	for b.Loop() {
		admin, stop := startForBenchmark(b, c)
		began := time.Now()
		for i := range tenants {
			ask(b, http.MethodPut, fmt.Sprintf("http://%s/v1/tenants/t%d", admin, i), bigTenant(0))
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/apply")
		began = time.Now()
		ask(b, http.MethodPut, fmt.Sprintf("http://%s/v1/tenants/t%d", admin, 7), bigTenant(5))
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/change")
		began = time.Now()
		ask(b, http.MethodGet, "http://"+admin+"/v1/tenants?limit=1000", nil)
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/tenants")
		began = time.Now()
		ask(b, http.MethodGet, "http://"+admin+"/v1/tenants/t500/addresses", nil)
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/addresses")
		runtime.GC()
		b.ReportMetric(float64(residentBytes(b))/(1<<20), "MiB")
		stop()
		began = time.Now()
		_, stop = startForBenchmark(b, c)
		b.ReportMetric(time.Since(began).Seconds(), "s/start")
		stop()
	}
}

// bigTenant declares a tenant with 100 addresses and 10 users.
func bigTenant(most int) []byte {
	var text strings.Builder
	text.WriteString(`{"roles":[{"name":"device","send":["up/{user}/#"]}],"addresses":[`)
	for j := range 100 {
		fmt.Fprintf(&text, `{"name":"site/%d/jobs","kind":"queue","maxMessages":%d,"maxBytes":"10MiB","deadLetter":"site/0/jobs"},`, j, most)
	}
	body := strings.TrimSuffix(text.String(), ",") + `],"users":[`
	for j := range 10 {
		body += fmt.Sprintf(`{"name":"u%d","credential":%q,"roles":["device"]},`, j, passwordA)
	}
	return []byte(strings.TrimSuffix(body, ",") + "]}")
}

// startForBenchmark runs a gateway and gives the address of its admin door.
func startForBenchmark(b *testing.B, c config.Config) (admin string, stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, c, Process{Log: slog.New(slog.DiscardHandler), Ready: func(all []Endpoint) {
			for _, e := range all {
				if e.Door == "admin" {
					ready <- e.Address.String()
				}
			}
		}})
	}()
	select {
	case admin = <-ready:
	case err := <-ended:
		b.Fatal(err)
	}
	return admin, func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

// ask sends a request to the admin API, which has to be answered with success, and gives the answer.
func ask(t testing.TB, method, url string, body []byte) (answer map[string]any) {
	t.Helper()
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s gives %s %v: %.500s", method, url, response.Status, err, text)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer
}

// residentBytes is how much memory the process has, as far as the system tells.
func residentBytes(t testing.TB) (n int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0 // this system does not tell so
	}
	var size int64
	if _, err := fmt.Sscan(string(text), &size, &n); err != nil {
		t.Fatal(err)
	}
	return n * int64(os.Getpagesize())
}
