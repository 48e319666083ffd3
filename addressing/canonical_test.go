package addressing_test

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

func TestCanonicalTextTellsFiltersFromAddresses(t *testing.T) {
	star := addressing.Address("a/*").Filter()
	level := houseFilter(t, "a/*")
	for _, f := range []addressing.Filter{star, level, houseFilter(t, "a#/*/#"), addressing.Address("a/b").Filter()} {
		text, ok := f.Canonical()
		again, err := addressing.ParseCanonical(text)
		if !ok || err != nil || again != f {
			t.Errorf("%s became %q (%v), and that %s (%v)", f, text, ok, again, err)
		}
	}
	if a, _ := star.Canonical(); a != "a/*" {
		t.Errorf("the address a/* is written %q", a)
	}
	if _, ok := (addressing.Filter{}).Canonical(); ok {
		t.Error("nothing has a text")
	}
	for _, text := range []string{"", "#/a", "\x01a"} {
		if f, err := addressing.ParseCanonical(text); err == nil {
			t.Errorf("%q is read as %s", text, f)
		}
	}
}
