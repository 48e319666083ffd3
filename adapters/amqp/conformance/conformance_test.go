package conformance

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scenario is one conversation.
type scenario struct {
	section string // of the standard
	claim   string // what the container does if it is right
	play    func(c *client)
}

func (s scenario) name() string { return s.section + " " + s.claim }

// scenarios are all that there are, in the order of the standard.
func scenarios() []scenario {
	all := slices.Concat(
		encodings, connections, sessions, attachments, credits, transfers, messages, outcomes, termini, transactions, security,
	)
	slices.SortStableFunc(all, func(a, b scenario) int { return slices.Compare(a.numbers(), b.numbers()) })
	return all
}

// numbers are those of the section.
func (s scenario) numbers() (numbers []int) {
	for text := range strings.SplitSeq(s.section, ".") {
		n, err := strconv.Atoi(text)
		if err != nil {
			panic(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// gaps are the rules that our own door is known to break, with the reason. One that is closed has to be taken off.
var gaps = map[string]string{
	"3.4.5 what was modified as undeliverable here does not come to that link again": "outcomes do not say it",
	"3.4.5 the annotations of modified are in the message that comes again":          "outcomes do not carry them",
}

// TestConformance plays every scenario with the container.
func TestConformance(t *testing.T) {
	h := findHost(t)
	results := recording{}
	for _, s := range scenarios() {
		t.Run(s.name(), func(t *testing.T) {
			found := play(t, s, h)
			results[s.name()] = string(found)
			switch gap := gaps[s.name()]; {
			case h.ours && gap != "" && found == "":
				t.Errorf("our door has become right, but is still said to have a gap: %s", gap)
			case h.ours && gap != "":
			case found != "":
				t.Error(found)
			}
		})
	}
	if *record != "" {
		results.save(t, *record)
	}
}

// play gives what the container does wrong in a scenario, if anything.
func play(t *testing.T, s scenario, h *host) (found failure) {
	defer func() {
		if f := recover(); f != nil {
			var ok bool
			if found, ok = f.(failure); !ok {
				panic(f)
			}
		}
	}()
	s.play(dial(t, h))
	return ""
}

// TestNamesAreUnique as results are known by them.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios() {
		if seen[s.name()] {
			t.Errorf("two scenarios are called %q", s.name())
		}
		seen[s.name()] = true
	}
	for name := range gaps {
		if !seen[name] {
			t.Errorf("no scenario is called %q, which is said to be a gap", name)
		}
	}
}
