//go:build interop

package interop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// httpPair sends to a queue, and takes from it under a lock.
type httpPair struct {
	door, messages string
	client         *http.Client
}

func openHTTPPair(door, address string, http2 bool) (*httpPair, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}, Timeout: wirePatience}
	return &httpPair{"http://" + door, "/v1/default/" + address + "/messages", client}, nil
}

// ask makes a request, whose answer has to have a status, and gives what that brings.
func (p *httpPair) ask(status int, method, path, body string) (location, answer string, err error) {
	r, err := http.NewRequest(method, p.door+path, strings.NewReader(body))
	if err != nil {
		return "", "", err
	}
	a, err := p.client.Do(r)
	if err != nil {
		return "", "", err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode != status {
		err = fmt.Errorf("%s %s: %s %s", method, path, a.Status, text)
	}
	return a.Header.Get("Location"), string(text), err
}

func (p *httpPair) send(_ int, body string) error {
	_, _, err := p.ask(http.StatusCreated, "POST", p.messages, body)
	return err
}

func (p *httpPair) receive() (string, error) {
	lock, body, err := p.ask(http.StatusOK, "POST", p.messages+"/head?timeout=1&lock=60", "")
	if err == nil {
		_, _, err = p.ask(http.StatusNoContent, "DELETE", lock, "")
	}
	return body, err
}

func (p *httpPair) close() error {
	p.client.CloseIdleConnections()
	return nil
}

// watchedPair sends to a topic that an event stream watches.
type watchedPair struct {
	*httpPair
	stream io.ReadCloser
	lines  *bufio.Scanner
}

func openWatchedPair(door, address string) (*watchedPair, error) {
	sender, err := openHTTPPair(door, address, true)
	if err != nil {
		return nil, err
	}
	// It lasts for longer than a request may.
	answer, err := http.Get("http://" + door + "/v1/default/" + address + "/stream?data=raw")
	if err != nil {
		return nil, err
	}
	return &watchedPair{sender, answer.Body, bufio.NewScanner(answer.Body)}, nil
}

func (p *watchedPair) receive() (string, error) {
	defer time.AfterFunc(wirePatience, func() { p.stream.Close() }).Stop()
	for p.lines.Scan() {
		if data, ok := strings.CutPrefix(p.lines.Text(), "data: "); ok {
			return data, nil
		}
	}
	return "", errors.Join(io.ErrUnexpectedEOF, p.lines.Err())
}

func (p *watchedPair) close() error { return errors.Join(p.httpPair.close(), p.stream.Close()) }

// socketPair sends to a queue and takes from it over one WebSocket.
type socketPair struct {
	ctx     context.Context
	socket  *websocket.Conn
	address string
	held    []arrival // messages that have come before what was waited for
}

// arrival is what the gateway says: an answer, or a message.
type arrival struct {
	ID, Status, Delivery int
	Message              struct{ Body string }
}

func openSocketPair(ctx context.Context, door, address string) (p *socketPair, err error) {
	p = &socketPair{ctx: ctx, address: address}
	if p.socket, _, err = websocket.Dial(ctx, "ws://"+door+"/v1/default/socket", nil); err != nil {
		return nil, err
	}
	return p, p.order(http.StatusOK, map[string]any{"op": "subscribe", "subscription": 1, "address": address, "settle": true})
}

// order has something done, and waits for the answer.
func (p *socketPair) order(status int, order map[string]any) error {
	order["id"] = 1
	ctx, cancel := context.WithTimeout(p.ctx, wirePatience)
	defer cancel()
	if err := wsjson.Write(ctx, p.socket, order); err != nil {
		return err
	}
	for {
		var a arrival
		if err := wsjson.Read(ctx, p.socket, &a); err != nil {
			return err
		}
		if a.Delivery > 0 {
			p.held = append(p.held, a)
			continue
		}
		if a.Status != status {
			return fmt.Errorf("%v is answered %d", order, a.Status)
		}
		return nil
	}
}

func (p *socketPair) send(_ int, body string) error {
	return p.order(http.StatusCreated, map[string]any{
		"op": "send", "address": p.address, "message": map[string]any{"body": body},
	})
}

func (p *socketPair) receive() (string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, wirePatience)
	defer cancel()
	for len(p.held) == 0 {
		var a arrival
		if err := wsjson.Read(ctx, p.socket, &a); err != nil {
			return "", err
		}
		p.held = append(p.held, a)
	}
	a := p.held[0]
	p.held = p.held[1:]
	return a.Message.Body, p.order(http.StatusNoContent, map[string]any{
		"op": "settle", "delivery": a.Delivery, "outcome": "accepted",
	})
}

func (p *socketPair) close() error { return p.socket.CloseNow() }
