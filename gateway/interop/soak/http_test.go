//go:build interop

package soak

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// httpLine is connections of an HTTP client.
type httpLine struct {
	client *http.Client
	door   string // the URL up to the path
}

func (l *httpLine) dial(doors map[string]string) {
	l.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: window}}
	l.door = "http://" + doors["http"]
}

func (l *httpLine) close() { l.client.CloseIdleConnections() }

// ask makes a request and reads the whole answer.
func (l *httpLine) ask(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, l.door+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	response, err := l.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// expect makes a request that has to be answered with a status.
func (l *httpLine) expect(ctx context.Context, method, path string, body []byte, want int) error {
	status, answer, err := l.ask(ctx, method, path, body)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s: status %d: %s", method, path, status, answer)
	}
	return err
}

// httpOutlet sends one message after the other.
type httpOutlet struct {
	httpLine
	stream  *stream
	address string
}

func (o *httpOutlet) open(_ context.Context, doors map[string]string) error {
	o.dial(doors)
	return nil
}

func (o *httpOutlet) send(ctx context.Context, letters []letter) error {
	for _, l := range letters {
		path := "/v1/default/" + o.address + "/messages"
		if err := o.expect(ctx, http.MethodPost, path, l.text(), http.StatusCreated); err != nil {
			return err
		}
		o.stream.acknowledged(l)
	}
	return nil
}

// httpInlet receives under locks.
type httpInlet struct {
	httpLine
	address string
	early   []arrival // came while it opened
}

// open receives once, so that a subscription is there.
func (in *httpInlet) open(ctx context.Context, doors map[string]string) (err error) {
	in.dial(doors)
	in.early, err = in.poll(ctx, 0)
	return err
}

func (in *httpInlet) receive(ctx context.Context) ([]arrival, error) {
	if early := in.early; len(early) > 0 {
		in.early = nil
		return early, nil
	}
	return in.poll(ctx, 10)
}

// poll waits for messages for some seconds.
func (in *httpInlet) poll(ctx context.Context, seconds int) ([]arrival, error) {
	path := fmt.Sprintf("/v1/default/%s/messages/head?lock=300&max=%d&timeout=%d", in.address, window, seconds)
	status, answer, err := in.ask(ctx, http.MethodPost, path, nil)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusNoContent:
		return nil, nil
	case status != http.StatusOK:
		return nil, fmt.Errorf("POST %s: status %d: %s", path, status, answer)
	}
	return readEnvelopes(answer)
}

func readEnvelopes(text []byte) (arrivals []arrival, err error) {
	var envelopes []struct {
		Location, Body, BodyBase64 string
		Attempts                   int
	}
	if err := json.Unmarshal(text, &envelopes); err != nil {
		return nil, err
	}
	for _, e := range envelopes {
		body := []byte(e.Body)
		if e.BodyBase64 != "" {
			if body, err = base64.StdEncoding.DecodeString(e.BodyBase64); err != nil {
				return nil, err
			}
		}
		l, err := readLetter(body)
		if err != nil {
			return nil, err
		}
		arrivals = append(arrivals, arrival{letter: l, marked: e.Attempts > 0, token: e.Location})
	}
	return arrivals, nil
}

func (in *httpInlet) settle(ctx context.Context, arrivals []arrival, confirm func(letter)) error {
	return together(arrivals, confirm, func(a arrival) error {
		method, path := http.MethodDelete, a.token.(string)
		switch a.verdict {
		case pass:
			method, path = http.MethodPost, path+"/reject"
		case fail:
			method = http.MethodPut
		}
		return in.expect(ctx, method, path, nil, http.StatusNoContent)
	})
}
