package engine

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// This file is the notation of frames in scripts: the name of the performative, then Field=value for each field that is
// not zero, with dots into structs: Attach Name=a Handle=0 Role=receiver Source.Address=orders. A field that is true is
// its name alone, a value with spaces is quoted, a list has commas, a map is {key:value;key:value}, and bytes are text
// or 0x and hexadecimal. HasX is set by giving X.

var performatives = map[string]func() any{
	"Open":           func() any { return &frame.Open{MaxFrameSize: 1<<32 - 1, ChannelMax: 1<<16 - 1} },
	"Begin":          func() any { return &frame.Begin{HandleMax: 1<<32 - 1} },
	"Attach":         func() any { return &frame.Attach{SenderSettleMode: frame.SendMixed} },
	"Flow":           func() any { return &frame.Flow{} },
	"Transfer":       func() any { return &frame.Transfer{} },
	"Disposition":    func() any { return &frame.Disposition{} },
	"Detach":         func() any { return &frame.Detach{} },
	"End":            func() any { return &frame.End{} },
	"Close":          func() any { return &frame.Close{} },
	"SASLMechanisms": func() any { return &frame.SASLMechanisms{} },
	"SASLInit":       func() any { return &frame.SASLInit{} },
	"SASLChallenge":  func() any { return &frame.SASLChallenge{} },
	"SASLResponse":   func() any { return &frame.SASLResponse{} },
	"SASLOutcome":    func() any { return &frame.SASLOutcome{} },
}

var descriptors = map[uint64]string{
	amqp.DescriptorOpen: "Open", amqp.DescriptorBegin: "Begin", amqp.DescriptorAttach: "Attach", amqp.DescriptorFlow: "Flow",
	amqp.DescriptorTransfer: "Transfer", amqp.DescriptorDisposition: "Disposition", amqp.DescriptorDetach: "Detach",
	amqp.DescriptorEnd: "End", amqp.DescriptorClose: "Close", amqp.DescriptorSASLMechanisms: "SASLMechanisms",
	amqp.DescriptorSASLInit: "SASLInit", amqp.DescriptorSASLChallenge: "SASLChallenge",
	amqp.DescriptorSASLResponse: "SASLResponse", amqp.DescriptorSASLOutcome: "SASLOutcome",
}

var headers = map[string]frame.ProtocolHeader{
	"AMQP": frame.ProtocolAMQP, "SASL": frame.ProtocolSASL, "TLS": frame.ProtocolTLS,
}

// line is a line of a script: a word, then key=value or key.
type line struct {
	word string
	keys []string
	vals map[string]string
}

func parseLine(t testing.TB, text string) line {
	l := line{vals: map[string]string{}}
	for _, f := range tokens(t, text) {
		if l.word == "" {
			l.word = f
			continue
		}
		key, value, _ := strings.Cut(f, "=")
		if q, err := strconv.Unquote(value); err == nil {
			value = q
		}
		l.keys = append(l.keys, key)
		l.vals[key] = value
	}
	return l
}

// tokens splits at spaces outside of quotes.
func tokens(t testing.TB, text string) []string {
	quoted := false
	out := strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
	if quoted {
		t.Fatalf("quote is open in %q", text)
	}
	return out
}

func (l line) has(key string) bool { _, ok := l.vals[key]; return ok }

func (l line) text(key string) string { return l.vals[key] }

func (l line) number(key string) int {
	n, err := strconv.ParseInt(l.vals[key], 0, 64)
	if err != nil && l.has(key) {
		panic(err)
	}
	return int(n)
}

// payload is what Payload or Size asks for.
func (l line) payload() []byte {
	if l.has("Size") {
		return []byte(strings.Repeat("x", l.number("Size")))
	}
	return []byte(l.text("Payload"))
}

// encodeFrame gives the bytes of a frame in the notation; Channel, Payload and Size are not fields.
func encodeFrame(t testing.TB, text string) []byte {
	l := parseLine(t, text)
	switch {
	case l.word == "Header":
		h, ok := headers[l.keys[0]]
		if !ok {
			t.Fatalf("unknown header in %q", text)
		}
		return h[:]
	case l.word == "Heartbeat":
		return frame.Finish(frame.Start(nil, frame.AMQP, uint16(l.number("Channel"))), 0)
	case performatives[l.word] == nil:
		t.Fatalf("unknown performative in %q", text)
	}
	layer := frame.AMQP
	if strings.HasPrefix(l.word, "SASL") {
		layer = frame.SASL
	}
	p := performatives[l.word]()
	l.fill(t, p)
	b := p.(performative).Append(frame.Start(nil, layer, uint16(l.number("Channel"))))
	return frame.Finish(append(b, l.payload()...), 0)
}

// fill sets the fields of p.
func (l line) fill(t testing.TB, p any) {
	v := reflect.ValueOf(p).Elem()
	for _, key := range l.keys {
		switch key {
		case "Channel", "Payload", "Size":
			continue
		}
		setField(t, v, key, l.vals[key])
	}
	if x, ok := p.(*frame.Disposition); ok && !l.has("Last") {
		x.Last = x.First
	}
}

func setField(t testing.TB, v reflect.Value, path, text string) {
	name, rest, deep := strings.Cut(path, ".")
	f := v.FieldByName(name)
	if !f.IsValid() {
		t.Fatalf("%s has no field %s", v.Type(), name)
	}
	if f.Kind() == reflect.Pointer {
		if f.IsNil() {
			f.Set(reflect.New(f.Type().Elem()))
		}
		f = f.Elem()
	}
	if deep {
		setField(t, f, rest, text)
		return
	}
	if has := v.FieldByName("Has" + name); has.IsValid() {
		has.SetBool(true)
	}
	if name == "InitialDeliveryCount" {
		v.FieldByName("HasInitialCount").SetBool(true)
	}
	if name == "ReceiverSettleMode" && v.FieldByName("HasReceiverMode").IsValid() {
		v.FieldByName("HasReceiverMode").SetBool(true)
	}
	setValue(t, f, text)
}

func setValue(t testing.TB, f reflect.Value, text string) {
	switch f.Interface().(type) {
	case frame.Role:
		f.SetBool(text == "receiver")
		return
	case frame.StateKind:
		for k := frame.NoState; k <= frame.Transactional; k++ {
			if k.String() == text {
				f.SetUint(uint64(k))
				return
			}
		}
		t.Fatalf("unknown state %q", text)
	case amqp.RawValue:
		f.SetBytes(parseRaw(t, text))
		return
	case []byte:
		f.SetBytes(parseBytes(t, text))
		return
	case []amqp.Symbol:
		var symbols []amqp.Symbol
		for s := range strings.SplitSeq(text, ",") {
			symbols = append(symbols, amqp.Symbol(s))
		}
		f.Set(reflect.ValueOf(symbols))
		return
	}
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		f.SetBool(text != "false")
	case reflect.Struct: // given without fields: it is there
	default:
		n, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		f.SetUint(n)
	}
}

func parseBytes(t testing.TB, text string) []byte {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return []byte(text)
}

func parseRaw(t testing.TB, text string) []byte {
	if !strings.HasPrefix(text, "{") {
		return parseBytes(t, text)
	}
	w := amqp.BeginFields(nil)
	for pair := range strings.SplitSeq(strings.Trim(text, "{}"), ";") {
		if key, value, ok := strings.Cut(pair, ":"); ok {
			w.String(key, value)
		}
	}
	return w.End()
}

// decodeFrames gives the notation of all that is in b.
func decodeFrames(t testing.TB, b []byte) (lines []string) {
	for len(b) > 0 {
		if len(b) < frame.HeaderSize {
			t.Fatalf("%d bytes are left over", len(b))
		}
		if string(b[:4]) == "AMQP" {
			for name, h := range headers {
				if h == frame.ProtocolHeader(b) {
					lines = append(lines, "Header "+name)
				}
			}
			b = b[frame.HeaderSize:]
			continue
		}
		h, err := frame.ReadHeader(b)
		if err != nil || int(h.Size) > len(b) {
			t.Fatalf("frame of %d bytes in %d: %v", h.Size, len(b), err)
		}
		lines = append(lines, decodeFrame(t, h, b[h.Body:h.Size]))
		b = b[h.Size:]
	}
	return lines
}

func decodeFrame(t testing.TB, h frame.Header, body []byte) string {
	if len(body) == 0 {
		return "Heartbeat"
	}
	d := amqp.NewDecoder(body)
	name := descriptors[d.ReadDescriptor()]
	if name == "" {
		t.Fatalf("frame of unknown kind: %x", body)
	}
	p := performatives[name]()
	if err := p.(interface{ Read(*amqp.Decoder) error }).Read(&d); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var b strings.Builder
	b.WriteString(name)
	if h.Channel != 0 {
		fmt.Fprintf(&b, " Channel=%d", h.Channel)
	}
	describe(&b, "", reflect.ValueOf(p).Elem(), reflect.ValueOf(performatives[name]()).Elem())
	if rest := body[d.Offset():]; len(rest) > 40 {
		fmt.Fprintf(&b, " Size=%d", len(rest))
	} else if len(rest) > 0 {
		fmt.Fprintf(&b, " Payload=%s", plain(rest))
	}
	return b.String()
}

// describe writes the fields of v that differ from what absence means.
func describe(b *strings.Builder, prefix string, v, absent reflect.Value) {
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		has := v.FieldByName("Has" + name)
		if name == "InitialDeliveryCount" {
			has = v.FieldByName("HasInitialCount")
		}
		mandatory := name == "Handle" || name == "First" || name == "Role"
		switch {
		case strings.HasPrefix(name, "Has"):
		case f.Kind() == reflect.Pointer && !f.IsNil():
			if n := b.Len(); f.Type().Elem().NumField() > 0 {
				describe(b, prefix+name+".", f.Elem(), reflect.Zero(f.Type().Elem()))
				if b.Len() == n {
					b.WriteString(" " + prefix + name)
				}
			}
		case f.Kind() == reflect.Struct:
			describe(b, prefix+name+".", f, reflect.Zero(f.Type()))
		case has.IsValid() && has.Bool(), mandatory && !has.IsValid():
			fmt.Fprintf(b, " %s%s=%s", prefix, name, value(f))
		case name == "Last":
			if f.Uint() != v.FieldByName("First").Uint() {
				fmt.Fprintf(b, " Last=%d", f.Uint())
			}
		case reflect.DeepEqual(f.Interface(), absent.Field(i).Interface()):
		case f.Kind() == reflect.Bool:
			b.WriteString(" " + prefix + name)
		default:
			fmt.Fprintf(b, " %s%s=%s", prefix, name, value(f))
		}
	}
}

func value(f reflect.Value) string {
	switch v := f.Interface().(type) {
	case amqp.RawValue:
		return rawText(v)
	case []byte:
		return plain(v)
	case []amqp.Symbol:
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ","), "[]")
	}
	text := fmt.Sprint(f.Interface())
	if strings.ContainsAny(text, " \"") || text == "" {
		return strconv.Quote(text)
	}
	return text
}

func rawText(r amqp.RawValue) string {
	m, ok := r.Value().(amqp.Map)
	if !ok {
		return fmt.Sprintf("0x%x", []byte(r))
	}
	var pairs []string
	for _, e := range m {
		pairs = append(pairs, fmt.Sprintf("%v:%v", e.Key, e.Value))
	}
	return "{" + strings.Join(pairs, ";") + "}"
}

// plain gives bytes as text if they are printable.
func plain(b []byte) string {
	for _, r := range string(b) {
		if !unicode.IsPrint(r) || r == ' ' || r == '"' {
			return fmt.Sprintf("0x%x", b)
		}
	}
	return string(b)
}
