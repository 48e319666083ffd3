package http

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSeveralLocksEndAtOnce(t *testing.T) {
	const settle = "/v1/acme/jobs/a/messages/settle"
	inBubble(t, Limits{MaxBatch: 6}, func(t *testing.T, d *door) {
		for i := range 4 {
			d.do(201, "POST", "/v1/acme/jobs/a/messages", fmt.Sprint(i))
		}
		var held []envelope
		if err := json.Unmarshal([]byte(d.do(200, "POST", head+"?max=4", "").body), &held); err != nil || len(held) != 4 {
			t.Fatal(err, held)
		}
		order := func(location, outcome string) string {
			return fmt.Sprintf(`{"location":%q,"outcome":%q,"reason":"why"}`, location, outcome)
		}
		a := d.do(200, "POST", settle, "["+strings.Join([]string{
			order(held[0].Location, "accepted"), order(held[1].Location, "rejected"), order(held[0].Location, "accepted"),
			order(strings.Replace(held[2].Location, "jobs/a", "jobs/b", 1), "accepted"),
			order(held[3].Location, "released"),
		}, ",")+"]", "Content-Type: application/json")
		var results []result
		if err := json.Unmarshal([]byte(a.body), &results); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{204, 204, 404, 404, 204} {
			if i >= len(results) || results[i].Status != want {
				t.Errorf("result %d is not %d: %s", i, want, a.body)
			}
		}
		d.do(404, "DELETE", held[0].Location, "")
		if again := d.do(200, "POST", head, ""); again.body != "3" {
			t.Errorf("%q came again", again.body)
		}

		elsewhere := d.do(200, "POST", "/v1/acme/jobs/b/messages/settle", "["+order(held[2].Location, "accepted")+"]", "Content-Type: application/json")
		if !strings.Contains(elsewhere.body, `"status":404`) {
			t.Errorf("through another address: %s", elsewhere.body)
		}
		d.do(415, "POST", settle, "[]", "Content-Type: text/plain").problem(t)
		for _, body := range []string{"", "{}", "[1]", `[{"outcom":"accepted"}]`, "[][]", "[" + order(held[2].Location, "lost") + "]"} {
			d.do(400, "POST", settle, body, "Content-Type: application/json").problem(t)
		}
		d.do(204, "DELETE", held[2].Location, "")
		p := d.do(413, "POST", settle, "["+strings.Repeat("{},", 6)+"{}]", "Content-Type: application/json").problem(t)
		if !strings.Contains(p.Detail, "http.maxBatch") {
			t.Error(p.Detail)
		}
	})
}

// TestSettlementsThatAreNotSafeInTimeAreTold, and are not said to have failed.
func TestSettlementsThatAreNotSafeInTimeAreTold(t *testing.T) {
	inBubble(t, Limits{OutcomeTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		at := d.do(200, "POST", head, "").Header.Get("Location")
		d.queues.nodes["acme jobs/#"].stuck = true
		begun := time.Now()
		a := d.do(200, "POST", "/v1/acme/jobs/a/messages/settle", `[{"location":"`+at+`","outcome":"accepted"}]`, "Content-Type: application/json")
		if !strings.Contains(a.body, `"status":504`) || time.Since(begun) != 5*time.Second {
			t.Errorf("%s after %v", a.body, time.Since(begun))
		}
	})
}
