package conformance

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var (
	record = flag.String("record", "", "file that gets the results, such as testdata/rabbitmq.json")
	update = flag.Bool("update", false, "rewrite docs/conformance.md")
)

// recording is what a container did wrong in each scenario that it played; nothing if it was right.
type recording map[string]string

func (r recording) save(t *testing.T, file string) {
	t.Helper()
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// document is where the results are shown.
const document = "../../../docs/conformance.md"

// other is a container whose results were recorded.
const (
	other      = "RabbitMQ 3.10.8"
	otherAbout = "3.10.8-1.1+deb12u1 of Debian 12 with its plugin rabbitmq_amqp1_0 and its default settings"
	otherFile  = "testdata/rabbitmq.json"
)

// TestDocumentIsUpToDate compares the document with what the scenarios, the gaps and the recording give. TestConformance
// sees to it that the gaps are ours and that there are no others.
func TestDocumentIsUpToDate(t *testing.T) {
	b, err := os.ReadFile(otherFile)
	if err != nil {
		t.Fatal(err)
	}
	var results recording
	if err := json.Unmarshal(b, &results); err != nil {
		t.Fatal(err)
	}
	want := render(scenarios(), results)
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/conformance.md is out of date; write it anew with: go test ./adapters/amqp/conformance -update")
	}
}

// introduction is what the document says before its table.
const introduction = `# AMQP 1.0 conformance

Each line is one conversation with a container, about one rule of the
[OASIS standard](https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html) and named after its
section. The conversations are the tests of adapters/amqp/conformance, and this page is written by them:

    go test ./adapters/amqp/conformance                               # our own door
    go test ./adapters/amqp/conformance -addr 127.0.0.1:5672          # any other container
    go test ./adapters/amqp/conformance -addr 127.0.0.1:5672 -user u -password p -queue /queue/test

Without -user the client says ANONYMOUS. The container makes queues when they are first used: their addresses are what
-queue says, and numbers. -nowhere is an address that it refuses. "-record file" keeps the results, and -update writes
this page anew.

RabbitMQ is ` + otherAbout + `.
A "no" tells how the conversation went instead. Where the standard lets a container refuse what is asked for, it has a
form for the refusal, and that is what is looked at. Two lines are about what the standard advises, and say "should".

`

// render gives the document.
func render(list []scenario, results recording) string {
	var b strings.Builder
	b.WriteString(introduction)
	fmt.Fprintf(&b, "| section | what a container does | Manifold | %s |\n|---|---|---|---|\n", other)
	ours, theirs := 0, 0
	for _, s := range list {
		wrong, played := results[s.name()]
		if gaps[s.name()] == "" {
			ours++
		}
		if played && wrong == "" {
			theirs++
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.section, s.claim, answer(gaps[s.name()], true), answer(wrong, played))
	}
	fmt.Fprintf(&b, "| | yes, of %d | %d | %d |\n", len(list), ours, theirs)
	return b.String()
}

// answer is what stands in a line of the table.
func answer(wrong string, played bool) string {
	switch {
	case !played:
		return "not tried"
	case wrong == "":
		return "yes"
	default:
		return "no: " + strings.ReplaceAll(strings.Join(strings.Fields(wrong), " "), "|", "\\|")
	}
}
