package protocol

import (
	"encoding/hex"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// recorded gives what Qpid Dispatch routers said: opcode and octets.
func recorded(t testing.TB) (messages [][2]string) {
	t.Helper()
	file, err := os.ReadFile("testdata/dispatch-1.19.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		opcode, octets, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || opcode == "#" {
			continue
		}
		b, err := hex.DecodeString(octets)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, [2]string{opcode, string(b)})
	}
	return messages
}

func TestDispatchIsUnderstood(t *testing.T) {
	var all []Packet
	for _, m := range recorded(t) {
		p, err := Parse([]byte(m[1]))
		if err != nil {
			t.Fatalf("%s: %v\n%q", m[0], err, m[1])
		}
		if got := string(p.Message.Opcode()); got != m[0] {
			t.Errorf("opcode %s, want %s", got, m[0])
		}
		all = append(all, p)
	}
	const instance = 1795378787
	rb := Sender{Router: "RB", Version: 1}
	for _, want := range []Packet{
		{To: HelloAddress, Message: &Hello{rb, instance, []string{"RA"}}},
		{To: AllRouters, Message: &Advertisement{rb, instance, 1, 3}},
		{To: RouterAddress("RA"), Message: &LinkState{rb, instance, 1, []Peer{{"RA", 7}}}},
		{To: RouterAddress("RA"), Message: &LinkStateRequest{rb}},
		{To: AllAddresses, Message: &Addresses{Sender: rb, Sequence: 2, Added: []Address{{"M0orders", Balanced}}}},
		{To: AllAddresses, Message: &Addresses{Sender: rb, Sequence: 3, Removed: []Key{"M0orders"}}},
		{To: RouterAddresses("RA"), Message: &Addresses{
			Sender: rb, Sequence: 2, All: true, Added: []Address{{"M0multi/x", Multicast}, {"M0orders", Balanced}}}},
		{To: RouterAddresses("RB"), Message: &AddressesRequest{Sender{"RA", 1}, 2}},
	} {
		if !slices.ContainsFunc(all, func(p Packet) bool {
			return p.To == want.To && equal(p.Message, want.Message) && p.Annotations.Ingress == NodeName(p.Message.From().Router)
		}) {
			t.Errorf("not among what was recorded: to %s %+v", want.To, want.Message)
		}
	}
}

// equal compares messages; an empty list is like none.
func equal(a, b Message) bool {
	normal := func(m Message) Message {
		if m, ok := m.(*Addresses); ok {
			c := *m
			c.Added, c.Removed = slices.Clip(append([]Address{}, m.Added...)), append([]Key{}, m.Removed...)
			return &c
		}
		return m
	}
	return reflect.DeepEqual(normal(a), normal(b))
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	me := Sender{"Ä.1", 1}
	for _, m := range []Message{
		&Hello{me, 1, nil},
		&Hello{me, 1 << 40, []string{"B", "C"}},
		&Advertisement{me, 7, 1 << 33, 0},
		&LinkState{me, 7, 3, []Peer{}},
		&LinkState{me, 7, 3, []Peer{{"B", 1}, {"C", MaxCost}}},
		&LinkStateRequest{me},
		&Addresses{Sender: me, Sequence: 9, All: true},
		&Addresses{Sender: me, Sequence: 9, All: true, Added: []Address{{"M0a", Multicast}, {"Cb", LinkBalanced}}},
		&Addresses{Sender: me, Sequence: 9, Added: []Address{{"M9a", Closest}}, Removed: []Key{"Hedge"}},
		&AddressesRequest{me, 4},
	} {
		written := Packet{To: AllRouters, Message: m}.Through("Ä.1").Append(nil)
		if _, err := amqp.ParseMessage(slices.Clone(written)); err != nil {
			t.Errorf("%s is no AMQP message: %v", m.Opcode(), err)
		}
		p, err := Parse(written)
		if err != nil {
			t.Fatalf("%s: %v", m.Opcode(), err)
		}
		if !equal(p.Message, m) || p.To != AllRouters {
			t.Errorf("%s: got %+v, want %+v", m.Opcode(), p.Message, m)
		}
		if a := p.Annotations; a.Ingress != "0/Ä.1" || !slices.Equal(a.Trace, []string{"0/Ä.1"}) {
			t.Errorf("%s: annotations %+v", m.Opcode(), a)
		}
	}
}

func TestRelayKeepsTheBareMessage(t *testing.T) {
	for _, m := range recorded(t) {
		p, err := Parse([]byte(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		passed, err := Parse(p.Through("us").Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if string(passed.bare) != string(p.bare) || !strings.HasSuffix(m[1], string(p.bare)) {
			t.Errorf("%s: bare message changed", m[0])
		}
		want := append(slices.Clone(p.Annotations.Trace), "0/us")
		if !slices.Equal(passed.Annotations.Trace, want) || passed.Annotations.Ingress != p.Annotations.Ingress {
			t.Errorf("%s: annotations %+v", m[0], passed.Annotations)
		}
	}
}

// body encodes a message with any body.
func body(t *testing.T, opcode string, entries ...amqp.Entry) []byte {
	t.Helper()
	properties := amqp.Properties{To: AllRouters}
	application := amqp.BeginApplicationProperties(properties.Append(nil))
	application.String(opcodeProperty, opcode)
	b, err := amqp.AppendValue(application.End(), amqp.Map(entries))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMalformedIsRefused(t *testing.T) {
	entry := func(key string, value any) amqp.Entry { return amqp.Entry{Key: key, Value: value} }
	id, seq := entry("id", "B"), entry("ls_seq", int64(1))
	state := func(id string, seq any, peers amqp.Map) amqp.Entry {
		return entry("ls", amqp.Map{entry("id", id), entry("ls_seq", seq), entry("peers", peers)})
	}
	list := func(values ...any) amqp.List { return values }
	mobile := entry("mobile_seq", int64(1))
	cases := map[string][]byte{
		"empty":                   {},
		"no opcode":               body(t, "", id),
		"unknown opcode":          body(t, "XYZ", id),
		"no id":                   body(t, "LSR"),
		"id is empty":             body(t, "LSR", entry("id", "")),
		"id has a slash":          body(t, "LSR", entry("id", "a/b")),
		"id has a line feed":      body(t, "LSR", entry("id", "a\nb")),
		"id is all":               body(t, "LSR", entry("id", "all")),
		"id is long":              body(t, "LSR", entry("id", strings.Repeat("x", MaxID+1))),
		"id is a number":          body(t, "LSR", entry("id", int32(1))),
		"negative version":        body(t, "LSR", id, entry("pv", int32(-1))),
		"hello without seen":      body(t, "HELLO", id),
		"seen is no list":         body(t, "HELLO", id, entry("seen", "A")),
		"seen has numbers":        body(t, "HELLO", id, entry("seen", list("A", int32(1)))),
		"seen has null":           body(t, "HELLO", id, entry("seen", list(nil))),
		"advert without a number": body(t, "RA", id, seq),
		"negative number":         body(t, "RA", id, entry("ls_seq", int64(-1)), mobile),
		"number too large":        body(t, "RA", id, entry("ls_seq", uint64(1<<63)), mobile),
		"state is missing":        body(t, "LSU", id, seq),
		"state of another":        body(t, "LSU", id, seq, state("C", int64(1), nil)),
		"state without number":    body(t, "LSU", id, seq, state("B", "1", nil)),
		"cost 0":                  body(t, "LSU", id, seq, state("B", int64(1), amqp.Map{entry("C", int32(0))})),
		"cost too large":          body(t, "LSU", id, seq, state("B", int64(1), amqp.Map{entry("C", int64(MaxCost+1))})),
		"cost is text":            body(t, "LSU", id, seq, state("B", int64(1), amqp.Map{entry("C", "1")})),
		"neighbour of itself":     body(t, "LSU", id, seq, state("B", int64(1), amqp.Map{entry("B", int32(1))})),
		"neighbour twice": body(t, "LSU", id, seq,
			state("B", int64(1), amqp.Map{entry("C", int32(1)), entry("C", int32(2))})),
		"neither all nor changes": body(t, "MAU", id, mobile),
		"all and changes":         body(t, "MAU", id, mobile, entry("exist", list()), entry("add", list()), entry("del", list())),
		"half of the changes":     body(t, "MAU", id, mobile, entry("add", list())),
		"addresses are no list":   body(t, "MAU", id, mobile, entry("exist", "M0a")),
		"addresses are numbers":   body(t, "MAU", id, mobile, entry("exist", list(int32(1)))),
		"request without number":  body(t, "MAR", id),
		"cut off":                 body(t, "LSR", id)[:30],
		"sections in disorder":    append(body(t, "LSR", id), body(t, "LSR", id)...),
		"no address":              amqp.AppendValueString(nil, ""),
		"trace is no list": append(amqp.AppendDescriptor(nil, amqp.DescriptorMessageAnnotations),
			append([]byte{0xc1, 20, 2, 0xa3, 14}, "x-opt-qd.trace\x54\x01"...)...),
	}
	for name, b := range cases {
		t.Run(name, func(t *testing.T) {
			if p, err := Parse(b); err == nil {
				t.Errorf("taken as %+v", p.Message)
			}
		})
	}
}

func TestNewerVersionIsToldApart(t *testing.T) {
	_, err := Parse(body(t, "LSR", amqp.Entry{Key: "id", Value: "B"}, amqp.Entry{Key: "pv", Value: int32(2)}))
	var version *VersionError
	if !errors.As(err, &version) || version.Sender != (Sender{"B", 2}) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownAddressesAndHintsAreLeftOut(t *testing.T) {
	exist := amqp.List{"M0a", "Zb", "", "M", "MXq", "M0" + strings.Repeat("x", MaxKey), "Cc", "M0a"}
	entries := []amqp.Entry{{Key: "id", Value: "B"}, {Key: "mobile_seq", Value: uint32(3)}, {Key: "exist", Value: exist}}
	for _, c := range []struct {
		hints amqp.List
		want  []Address
	}{
		{nil, []Address{{"M0a", Unknown}, {"Cc", Unknown}}},
		{amqp.List{int32(1)}, []Address{{"M0a", Unknown}, {"Cc", Unknown}}},
		{amqp.List{int32(1), nil, nil, nil, nil, nil, nil, nil}, []Address{{"M0a", Unknown}, {"Cc", Unknown}}},
		{amqp.List{int32(2), 0, 0, 0, 0, 0, int32(99), 0}, []Address{{"M0a", Closest}, {"Cc", Unknown}}},
	} {
		for i, hint := range c.hints {
			if hint == 0 {
				c.hints[i] = int32(3)
			}
		}
		p, err := Parse(body(t, "MAU", append(slices.Clone(entries), amqp.Entry{Key: "hints", Value: c.hints})...))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Message.(*Addresses); !slices.Equal(got.Added, c.want) {
			t.Errorf("hints %v: got %v, want %v", c.hints, got.Added, c.want)
		}
	}
}

func TestLocate(t *testing.T) {
	for address, want := range map[string]Place{
		"orders":                        {Class: Mobile, Name: "orders"},
		"amqp:/orders/eu":               {Class: Mobile, Name: "orders/eu"},
		"amqp://host:5672/orders":       {Class: Mobile, Name: "orders"},
		"amqps://host/orders":           {Class: Mobile, Name: "orders"},
		"/orders":                       {Class: Mobile, Name: "orders"},
		"_topo/0/all/qdrouter.ma":       {Class: Topological, Name: "qdrouter.ma"},
		"amqp:/_topo/0/all/qdrouter":    {Class: Topological, Name: "qdrouter"},
		"amqp:/_topo/0/ME/qdrouter":     {Class: Local, Name: "qdrouter"},
		"amqp:/_topo/0/B/qdrouter":      {Class: Router, Node: "B", Name: "qdrouter"},
		"_topo/all/all/qdrouter":        {Class: Topological, Name: "qdrouter"},
		"_topo/7/B/qdrouter":            {Class: Area, Node: "7", Name: "B/qdrouter"},
		"_topo/0/B/$management":         {Class: Router, Node: "B", Name: "$management"},
		"_topo/0/B/temp.x/y":            {Class: Router, Node: "B", Name: "temp.x/y"},
		"amqp:/_local/qdhello":          {Class: Local, Name: "qdhello"},
		"_local/$management":            {Class: Local, Name: "$management"},
		"_edge/E1/temp.q":               {Class: Edge, Node: "E1", Name: "temp.q"},
		"_edge/ME/temp.q":               {Class: Local, Name: "temp.q"},
		"_topology/x":                   {Class: Mobile, Name: "_topology/x"},
		"":                              {Class: Mobile},
		"amqp://host-without-a-path":    {Class: Mobile},
		"_topo/0/B":                     {Class: Router, Node: "B"},
		"amqp:/_topo/0/MEMBER/qdrouter": {Class: Router, Node: "MEMBER", Name: "qdrouter"},
	} {
		if got := Locate(address, "ME"); got != want {
			t.Errorf("Locate(%q) = %+v, want %+v", address, got, want)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		key   Key
		class Class
		phase uint8
		name  string
		told  bool
	}{
		{MobileKey(0, "a/b"), Mobile, 0, "a/b", true},
		{MobileKey(9, "q"), Mobile, 9, "q", true},
		{"MFq", Mobile, FallbackPhase, "q", true},
		{"M:q", Mobile, 10, "q", false},
		{KeyOf(Edge, "E1"), Edge, 0, "E1", true},
		{KeyOf(LinkRouteIn, "x"), LinkRouteIn, 0, "x", true},
		{KeyOf(Local, "qdhello"), Local, 0, "qdhello", false},
		{"M", Mobile, 0, "", false},
		{"", 0, 0, "", false},
		{"M0\xff", Mobile, 0, "\xff", false},
	} {
		k := c.key
		if k.Class() != c.class || k.Phase() != c.phase || k.Name() != c.name || k.Told() != c.told {
			t.Errorf("%q: class %c, phase %d, name %q, told %v", string(k), k.Class(), k.Phase(), k.Name(), k.Told())
		}
	}
}

func TestAnnotationsOfOthersStay(t *testing.T) {
	theirs := amqp.BeginMessageAnnotations(nil)
	theirs.String("x-opt-mine", "1")
	theirs.String(annotationTo, "old")
	theirs.String(annotationRetain, "old")
	m, err := amqp.ParseMessage(amqp.AppendValueString(theirs.End(), ""))
	if err != nil {
		t.Fatal(err)
	}
	want := Annotations{Ingress: "0/A", Trace: []string{"0/A", "0/B"}, To: "orders", Phase: 1, Streaming: true, Retain: true}
	section := want.Append(nil, m.MessageAnnotations())
	m, err = amqp.ParseMessage(amqp.AppendValueString(section, ""))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseAnnotations(m.MessageAnnotations())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, ok := m.MessageAnnotations().Lookup("x-opt-mine"); !ok || m.MessageAnnotations().Len() != 7 {
		t.Error("the annotations of others are gone")
	}
	if len((Annotations{}).Append(nil, amqp.MapView{})) != 0 {
		t.Error("no annotations take room")
	}
	if !got.Passed("B") || got.Passed("C") {
		t.Error("the trace is misread")
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range recorded(f) {
		f.Add([]byte(m[1]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(slices.Clone(b))
		if err != nil {
			return
		}
		again, err := Parse(p.Through("us").Append(nil))
		if err != nil {
			t.Fatalf("what was taken is refused when passed on: %v", err)
		}
		if !equal(again.Message, p.Message) || again.To != p.To {
			t.Fatalf("passed on it is another: %+v, %+v", p, again)
		}
		p.bare = nil
		written, err := Parse(p.Append(nil))
		if err != nil {
			t.Fatalf("written anew it is refused: %v", err)
		}
		if !equal(written.Message, p.Message) {
			t.Fatalf("written anew it is another: %+v, %+v", p.Message, written.Message)
		}
	})
}
