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
		encodings, headers, framing, connections, endings, sessions, windows, attachments, names, linkErrors, credits,
		transfers, violations, dispositions, resumption, messages, outcomes, termini, durables, transactions, retirements,
		security,
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
	"2.6.1 a link of a queue attached again on another connection is stolen from its former attach": "both receive, as " +
		"copies of one program may have the same names; only links of durable sources are stolen",
	"2.6.5 what still comes on a link that has failed ends the session with errant-link": "it is discarded, so that what " +
		"was under way when a link failed does not end the others",
	"2.6.5 an attach that follows a mistake at once, without unsettled state, ends the session with errant-link": "the " +
		"link is attached, so that the others go on",
	"3.2.10 an annotation that is not understood, and does not begin with x-opt, ends the link with not-implemented": "it " +
		"is passed on, as it may be meant for the receiver",
}

// result is what became of a scenario.
type result struct {
	Wrong  string `json:",omitempty"` // what the container does wrong
	Absent string `json:",omitempty"` // what it need not have and has not, so that there was nothing to see
}

// TestConformance plays every scenario with the container.
func TestConformance(t *testing.T) {
	h := findHost(t)
	results := recording{}
	for _, s := range scenarios() {
		t.Run(s.name(), func(t *testing.T) {
			found := play(t, s, h)
			results[s.name()] = found
			switch gap := gaps[s.name()]; {
			case h.ours && gap != "" && found.Wrong == "":
				t.Errorf("our door has become right, but is still said to have a gap: %s", gap)
			case h.ours && gap != "":
			case h.ours && found.Absent != "":
				t.Errorf("our door was not looked at: %s", found.Absent)
			case found.Wrong != "":
				t.Error(found.Wrong)
			}
		})
	}
	if *record != "" {
		results.save(t, *record)
	}
}

// play gives what became of a scenario.
func play(t *testing.T, s scenario, h *host) (found result) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case failure:
			found.Wrong = string(thrown)
		case absence:
			found.Absent = string(thrown)
		default:
			panic(thrown)
		}
	}()
	s.play(dial(t, h))
	return result{}
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
