package addressing

import "testing"

func TestPriorityIsANumberOrThatOfTheMessage(t *testing.T) {
	for text, want := range map[string]uint8{"-1": 4, "0": 0, "7": 7, "9": 9} {
		p, err := ParsePriority(text)
		if err != nil || p.Of(4) != want || p.String() != text {
			t.Errorf("%s is %v, of a message %d, %v", text, p, p.Of(4), err)
		}
	}
	for _, text := range []string{"", "10", "-2", "high"} {
		if p, err := ParsePriority(text); err == nil {
			t.Errorf("%q is %v", text, p)
		}
	}
}
