package isolation

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

// TestNoTimeCrosses: how long a refusal takes does not tell which tenants and users there are. The requests take turns, and it is
// turns that are compared: a slow moment makes one of them take longer now and then, but not the same one nearly always.
func TestNoTimeCrosses(t *testing.T) {
	w := newWorld(t)
	guesses := []struct {
		what string
		seat seat
	}{
		{"a wrong password", seat{"vic@victim", "wrong", "", "victim"}},
		{"a user who does not exist", seat{"nobody@victim", "wrong", "", "victim"}},
		{"a tenant that does not exist", seat{"vic@nowhere", "wrong", "", "nowhere"}},
		{"the user of another tenant", seat{"mal@victim", "a", "", "victim"}},
		{"two tenants", seat{"mal@intruder", "a", "", "victim"}},
	}
	const rounds = 41
	took := make([][]time.Duration, len(guesses))
	for range rounds {
		for i, g := range guesses {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
				"http://"+w.doors["http"]+"/v1/"+g.seat.tenant+"/jobs/messages/head?timeout=0", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(g.seat.user, g.seat.password)
			began := time.Now()
			answer, err := w.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			took[i] = append(took[i], time.Since(began))
			if answer.StatusCode != http.StatusUnauthorized {
				t.Fatalf("%s: status %d", g.what, answer.StatusCode)
			}
		}
	}
	for i := range guesses {
		t.Logf("%v for %s", slices.Sorted(slices.Values(took[i]))[rounds/2], guesses[i].what)
		for j := range guesses {
			longer := 0
			for round := range rounds {
				if took[i][round] > 3*took[j][round] {
					longer++
				}
			}
			if longer > rounds*3/4 {
				t.Errorf("%s takes so much longer than %s that a client can tell them apart", guesses[i].what, guesses[j].what)
			}
		}
	}
}
