package gateway

import (
	"net/http"
	"testing"
)

func request(t *testing.T, method, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// TestDurableSubscriptionOverHTTP: the first receive makes it, it keeps what is published while nobody is there, and
// DELETE ends it.
func TestDurableSubscriptionOverHTTP(t *testing.T) {
	base := "http://" + start(t, quickstart(t))["http"] + "/v1/default/"
	audit := base + "telemetry/%23::audit"
	if code := post(t, audit+"/messages/head?timeout=0", ""); code != http.StatusNoContent {
		t.Fatalf("the first receive gave status %d", code)
	}
	if code := post(t, base+"telemetry/kitchen/messages", "21.5"); code != http.StatusCreated {
		t.Fatalf("sending gave status %d", code)
	}
	if code := post(t, audit+"/messages/head?timeout=5", ""); code != http.StatusOK {
		t.Errorf("the second receive gave status %d", code)
	}
	if code := request(t, http.MethodDelete, audit+"/subscription"); code != http.StatusConflict {
		t.Errorf("ending it while a message is locked gave status %d", code)
	}
	if code := request(t, http.MethodDelete, base+"telemetry/%23::other/subscription"); code != http.StatusNotFound {
		t.Errorf("ending one that does not exist gave status %d", code)
	}
	if code := request(t, http.MethodGet, audit+"/subscription"); code != http.StatusOK {
		t.Errorf("GET gave status %d", code)
	}
}
