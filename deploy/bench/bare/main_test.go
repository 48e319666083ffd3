package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBodyIsDiscarded(t *testing.T) {
	server, err := newServer("")
	if err != nil {
		t.Fatal(err)
	}
	body := strings.NewReader("payload")
	answer := httptest.NewRecorder()
	server.Handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", body))
	if answer.Code != http.StatusNoContent || body.Len() > 0 {
		t.Errorf("status %d, %d bytes left", answer.Code, body.Len())
	}
}
