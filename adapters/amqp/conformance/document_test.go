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

// recording is what became of each scenario that was played.
type recording map[string]result

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
	want := render(scenarios(), results, readEvidence(t, rulesFile), readEvidence(t, lessonsFile))
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
    go test ./adapters/amqp/conformance -addr 127.0.0.1:5672 -user u -password p -queue /queue/test -topic /topic/test

Without -user the client says ANONYMOUS. The container makes queues and topics when they are first used: their addresses
are what -queue and -topic say, and numbers. -nowhere is an address that it refuses. "-record file" keeps the results, and
-update writes this page anew. A container that is silent where it should answer costs 5 seconds each time.

The rules themselves, each with where it is looked at, are in the [second table](#the-rules); mistakes that others made
are in the [third](#lessons).

RabbitMQ is ` + otherAbout + `.
A "no" tells how the conversation went instead. Where the standard lets a container refuse what is asked for, it has a
form for the refusal, and that is what is looked at; "not there" is something that a container need not have. Lines
about what the standard only advises say "should".

`

// What the document says before its other tables.
const (
	rulesIntroduction = `
## The rules

What the standard demands of a container, in our words: each MUST, MUST NOT and mandatory field of parts 2 to 5, and
where it is looked at. Some cannot be seen from outside, or can be broken by a client only.

| section | demand | where it is looked at |
|---|---|---|
`
	lessonsIntroduction = `
## Lessons

Mistakes that were found in another broker, and what hostile clients count on.

| | mistake | what shows that it is not made |
|---|---|---|
`
)

// render gives the document.
func render(list []scenario, results recording, rules, lessons []evidence) string {
	var b strings.Builder
	b.WriteString(introduction)
	fmt.Fprintf(&b, "| section | what a container does | Manifold | %s |\n|---|---|---|---|\n", other)
	ours, theirs, absent := 0, 0, 0
	for _, s := range list {
		found, played := results[s.name()]
		switch {
		case !played:
		case found.Absent != "":
			absent++
		case found.Wrong == "":
			theirs++
		}
		if gaps[s.name()] == "" {
			ours++
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.section, s.claim,
			answer(result{Wrong: gaps[s.name()]}, true), answer(found, played))
	}
	fmt.Fprintf(&b, "| | yes, of %d | %d | %d; %d not there |\n", len(list), ours, theirs, absent)
	b.WriteString(rulesIntroduction)
	renderEvidence(&b, rules)
	b.WriteString(lessonsIntroduction)
	renderEvidence(&b, lessons)
	return b.String()
}

// answer is what stands in a line of the table.
func answer(found result, played bool) string {
	switch {
	case !played:
		return "not tried"
	case found.Absent != "":
		return "not there: " + found.Absent
	case found.Wrong == "":
		return "yes"
	default:
		return "no: " + strings.ReplaceAll(strings.Join(strings.Fields(found.Wrong), " "), "|", "\\|")
	}
}
