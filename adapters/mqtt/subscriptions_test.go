package mqtt

import (
	"slices"
	"testing"
)

func TestSubscriptionsAreFoundByTheirTexts(t *testing.T) {
	var all subscriptions
	for _, o := range []options{{Topic: "b"}, {Topic: "a", Group: "g"}, {Topic: "a"}, {Topic: "c"}, {Topic: "b", QoS: 1}} {
		all.put(&subscription{options: o})
	}
	all.remove("c")
	all.remove("d")
	var texts []string
	for _, s := range all {
		texts = append(texts, s.options.text())
	}
	if !slices.Equal(texts, []string{"$share/g/a", "a", "b"}) {
		t.Errorf("got %q", texts)
	}
	if s := all.get("b"); s == nil || s.options.QoS != 1 {
		t.Errorf("b is %+v, want the latter", s)
	}
	if s := all.get("c"); s != nil {
		t.Errorf("c is %+v, but it was removed", s)
	}
}
