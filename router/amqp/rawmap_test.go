package amqp

import "testing"

func TestRawMapIsViewed(t *testing.T) {
	w := BeginFields(nil)
	w.String("name", "value")
	raw := RawValue(w.End())
	view, ok := raw.Map()
	if v, found := view.Lookup("name"); !ok || !found || v.Value() != "value" {
		t.Errorf("%v, %v, %v", ok, found, v.Value())
	}
	for _, other := range []RawValue{nil, AppendNull(nil), AppendString(nil, "x")} {
		if _, ok := other.Map(); ok {
			t.Errorf("%x is a map", []byte(other))
		}
	}
}

func TestRawDescribedIsTakenApart(t *testing.T) {
	raw := RawValue(AppendString(AppendSymbol([]byte{byte(CodeDescribed)}, "apache.org:selector-filter:string"), "a > 1"))
	descriptor, value, ok := raw.Described()
	if !ok || descriptor.Value() != Symbol("apache.org:selector-filter:string") || value.Value() != "a > 1" {
		t.Errorf("%v, %v, %v", descriptor.Value(), value.Value(), ok)
	}
	for _, other := range []RawValue{nil, AppendNull(nil), AppendString(nil, "x")} {
		if _, _, ok := other.Described(); ok {
			t.Errorf("%x is described", []byte(other))
		}
	}
}
