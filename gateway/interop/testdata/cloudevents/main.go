// Command cloudevents sends events with the CloudEvents SDK for Go, takes them back and has the SDK read them. It prints
// "PASS name" or "FAIL name: reason" for each check.
//
// usage: cloudevents http://HOST:PORT/v1/TENANT/QUEUE
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// patience is how long a check may take.
const patience = 30 * time.Second

// queue is the URL of an address.
type queue string

func main() {
	q := queue(os.Args[1])
	failed := false
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"goBinary", q.binary}, {"goStructured", q.structured}, {"goBatched", q.batched}, {"goStreamed", q.streamed},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := check.run(ctx); err != nil {
			failed = true
			fmt.Printf("FAIL %s: %v\n", check.name, err)
		} else {
			fmt.Println("PASS", check.name)
		}
		cancel()
	}
	if failed {
		os.Exit(1)
	}
}

// sample is an event with something in each attribute.
func sample(id string) event.Event {
	e := cloudevents.NewEvent()
	e.SetID(id)
	e.SetSource("/kitchen/größe")
	e.SetType("example.temperature")
	e.SetSubject("a \"subject\" at 100 %")
	e.SetTime(time.Date(2026, 11, 22, 9, 30, 0, 125_000_000, time.UTC))
	e.SetDataSchema("https://example.com/schema")
	e.SetExtension("colour", "rot & grün")
	if err := e.SetData(cloudevents.ApplicationJSON, map[string]any{"celsius": 21.5}); err != nil {
		panic(err)
	}
	return e
}

// binary sends an event without what takes percent-encoding in a header, which this SDK neither writes nor reads.
func (q queue) binary(ctx context.Context) error {
	e := sample("binary")
	e.SetSource("/kitchen/size")
	e.SetSubject("a-subject")
	e.SetExtension("colour", "red")
	return q.single(ctx, e, cloudevents.WithEncodingBinary, false)
}

func (q queue) structured(ctx context.Context) error {
	return q.single(ctx, sample("structured"), cloudevents.WithEncodingStructured, true)
}

// single sends an event with the SDK's client in a mode and takes it back, in the same mode.
func (q queue) single(ctx context.Context, e event.Event, mode func(context.Context) context.Context, structured bool) error {
	client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(string(q) + "/messages"))
	if err != nil {
		return err
	}
	if result := client.Send(mode(ctx), e); !cloudevents.IsACK(result) {
		return fmt.Errorf("sending gave %w", result)
	}
	return q.take(ctx, e, structured)
}

func (q queue) batched(ctx context.Context) error {
	sent := []event.Event{sample("batched 1"), sample("batched 2"), sample("batched 3")}
	request, err := cehttp.NewHTTPRequestFromEvents(ctx, string(q)+"/messages/batch", sent)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("sending gave %s", answer.Status)
	}
	for _, e := range sent {
		if err := q.take(ctx, e, true); err != nil {
			return err
		}
	}
	return nil
}

// take receives one message and compares it.
func (q queue) take(ctx context.Context, want event.Event, structured bool) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, string(q)+"/messages/head?timeout=20", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	message := cehttp.NewMessageFromHttpResponse(answer)
	if got := message.ReadEncoding() == binding.EncodingStructured; got != structured {
		return fmt.Errorf("it came as %v", message.ReadEncoding())
	}
	got, err := binding.ToEvent(ctx, message)
	if err != nil {
		return err
	}
	return compare(*got, want)
}

// streamed watches the queue: the data of each server-sent event is an event in structured mode.
func (q queue) streamed(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(q)+"/stream?data=raw&resume=false", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(string(q) + "/messages"))
	if err != nil {
		return err
	}
	want := sample("streamed")
	if result := client.Send(cloudevents.WithEncodingStructured(ctx), want); !cloudevents.IsACK(result) {
		return fmt.Errorf("sending gave %w", result)
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var got event.Event
			if err := json.Unmarshal([]byte(data), &got); err != nil {
				return err
			}
			return compare(got, want)
		}
	}
	return fmt.Errorf("the stream ended: %v", lines.Err())
}

// compare tells where two events differ.
func compare(got, want event.Event) error {
	if err := got.Validate(); err != nil {
		return err
	}
	if got.String() != want.String() {
		return fmt.Errorf("got %q, want %q", got.String(), want.String())
	}
	return nil
}
