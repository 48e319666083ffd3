package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// TestWhatTheAdminAPIHasAnsweredOutlivesAKill: a process is killed while tenants are declared, time and again. What was
// answered with success is there when it has been started again, and every start succeeds.
func TestWhatTheAdminAPIHasAnsweredOutlivesAKill(t *testing.T) {
	program := gatewaytest.Build(t, "mqtt: {enabled: false}\namqp: {port: 0}\nstomp: {enabled: false}\nhttp: {enabled: false}\n"+
		"coap: {enabled: false}\nadmin: {port: 0}\n")
	var mu sync.Mutex // guards answered
	answered := make(map[string]string)
	for round := range 4 {
		process := program.Launch(t)
		doors, err := process.Ready()
		if err != nil {
			t.Fatal(err)
		}
		api := "http://" + doors["admin"] + "/v1/tenants/"
		for name, want := range answered {
			if got := fetch(t, api+name); got != want {
				t.Errorf("round %d: tenant %s is %q, want %q", round, name, got, want)
			}
		}
		var declaring sync.WaitGroup
		enough := make(chan struct{}, 1)
		for who := range 3 {
			declaring.Go(func() {
				for i := 0; ; i++ {
					name := fmt.Sprintf("t%d-%d", who, i%7)
					body := fmt.Sprintf(`{"name":"%s","addresses":[{"name":"q%d-%d","kind":"queue"}]}`, name, round, i)
					mu.Lock()
					delete(answered, name) // until it is known which one is there
					mu.Unlock()
					if !put(api+name, body) {
						return
					}
					mu.Lock()
					answered[name] = body + "\n"
					if len(answered) > 10 {
						select {
						case enough <- struct{}{}:
						default:
						}
					}
					mu.Unlock()
				}
			})
		}
		if err := process.Await(enough, time.Minute); err != nil {
			t.Fatal(err)
		}
		process.Kill(t)
		declaring.Wait()
	}
}

// put sends a request, and tells whether it was answered with success.
func put(url, body string) bool {
	r, err := http.NewRequest(http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}

// fetch gives what is at a URL.
func fetch(t *testing.T, url string) string {
	t.Helper()
	_, body := get(t, url)
	return body
}
