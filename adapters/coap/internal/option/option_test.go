package option_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
)

func TestOptionsAreDecodedAsTheyWereEncoded(t *testing.T) {
	sent := message.Options{
		{ID: message.URIHost, Value: []byte("example.org")},
		{ID: message.URIPath, Value: []byte("a")},
		{ID: message.URIPath, Value: bytes.Repeat([]byte("b"), 255)},
		{ID: message.ContentFormat, Value: []byte{}},
		{ID: option.RequestTag, Value: []byte{1, 2}},
		{ID: 65001, Value: bytes.Repeat([]byte{0xFF}, 300)},
	}
	p := make([]byte, 1000)
	n, err := sent.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	p = append(p[:n], 0xFF, 'x')
	got, payload, err := option.Decode(nil, p, 10)
	if err != nil || string(payload) != "x" {
		t.Fatalf("got payload %q and %v", payload, err)
	}
	equal := func(a, b message.Option) bool { return a.ID == b.ID && bytes.Equal(a.Value, b.Value) }
	if !slices.EqualFunc(got, sent, equal) {
		t.Errorf("got %v, want %v", got, sent)
	}
}

func TestMalformedOptionsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		p    []byte
		want error
	}{
		"marker without payload": {[]byte{0xFF}, option.ErrMalformed},
		"reserved delta":         {[]byte{0xF0}, option.ErrMalformed},
		"reserved length":        {[]byte{0x1F}, option.ErrMalformed},
		"short value":            {[]byte{0x13, 1, 2}, option.ErrMalformed},
		"short extended delta":   {[]byte{0xE0, 1}, option.ErrMalformed},
		"short extended length":  {[]byte{0x1D}, option.ErrMalformed},
		"number above 65535":     {[]byte{0xE0, 0xFF, 0xFF}, option.ErrMalformed},
		"too many":               {[]byte{0xB0, 0, 0, 0}, option.ErrTooMany},
	} {
		if _, _, err := option.Decode(nil, c.p, 3); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestOptionsThatAreNotUnderstood(t *testing.T) {
	path := message.Option{ID: message.URIPath, Value: []byte("a")}
	for name, c := range map[string]struct {
		option message.Option
		want   codes.Code
	}{
		"unknown critical":      {message.Option{ID: 65001}, codes.BadOption},
		"unknown elective":      {message.Option{ID: 65000}, codes.Empty},
		"OSCORE":                {message.Option{ID: 9}, codes.BadOption},
		"critical, too long":    {message.Option{ID: message.Accept, Value: []byte{1, 2, 3}}, codes.BadOption},
		"elective, too long":    {message.Option{ID: message.ContentFormat, Value: []byte{1, 2, 3}}, codes.Empty},
		"proxy URI":             {message.Option{ID: message.ProxyURI, Value: []byte("coap://x")}, codes.ProxyingNotSupported},
		"proxy scheme":          {message.Option{ID: message.ProxyScheme, Value: []byte("coap")}, codes.ProxyingNotSupported},
		"no hops left":          {message.Option{ID: option.HopLimit, Value: []byte{0}}, codes.BadRequest},
		"hops of a wrong width": {message.Option{ID: option.HopLimit, Value: []byte{0, 1}}, codes.BadRequest},
	} {
		kept, refusal := option.Screen(message.Options{path}.Add(c.option))
		if refusal.Code != c.want {
			t.Errorf("%s: got %v, want %v", name, refusal.Code, c.want)
		}
		if c.want != codes.Empty && refusal.Option != c.option.ID {
			t.Errorf("%s: option %v is blamed", name, refusal.Option)
		}
		if c.want == codes.Empty && (len(kept) != 1 || kept[0].ID != message.URIPath) {
			t.Errorf("%s: kept %v", name, kept)
		}
	}
}

func TestSecondOfAnOptionThatComesOnce(t *testing.T) {
	accept := message.Option{ID: message.Accept, Value: []byte{60}}
	if _, refusal := option.Screen(message.Options{accept, accept}); refusal.Code != codes.BadOption {
		t.Errorf("a second Accept, which is critical, got %v", refusal)
	}
	format := message.Option{ID: message.ContentFormat, Value: []byte{60}}
	if kept, refusal := option.Screen(message.Options{format, format}); refusal.Code != 0 || len(kept) != 1 {
		t.Errorf("a second Content-Format, which is elective, got %v and %v", kept, refusal)
	}
}

func TestOptionsOfTheTransportAreStripped(t *testing.T) {
	options := message.Options{
		{ID: message.URIPath}, {ID: option.HopLimit}, {ID: message.Block2}, {ID: message.Block1}, {ID: message.Size1},
		{ID: option.Echo}, {ID: message.NoResponse}, {ID: option.RequestTag},
	}
	if kept := option.Strip(options); len(kept) != 1 || kept[0].ID != message.URIPath {
		t.Errorf("kept %v", kept)
	}
}

func TestNoResponseCoversClasses(t *testing.T) {
	for _, c := range []struct {
		value    uint8
		response codes.Code
		want     bool
	}{
		{2, codes.Changed, true}, {2, codes.NotFound, false}, {8, codes.NotFound, true}, {8, codes.TooManyRequests, true},
		{16, codes.ServiceUnavailable, true}, {16, codes.Content, false}, {26, codes.Created, true}, {0, codes.Content, false},
	} {
		if got := option.Suppresses(c.value, c.response); got != c.want {
			t.Errorf("No-Response %d covers %v: %v", c.value, c.response, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0xB1, 'a', 0xFF, 'x'})
	f.Add([]byte{0xDD, 0, 0, 0xEE, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		options, payload, err := option.Decode(nil, p, 16)
		if err != nil {
			return
		}
		again := make([]byte, 2*len(p)+16)
		n, err := options.Marshal(again)
		if err != nil {
			t.Fatalf("%v cannot be encoded: %v", options, err)
		}
		if n+len(payload) > len(p) {
			t.Fatalf("%d octets became %d and a payload of %d", len(p), n, len(payload))
		}
		option.Strip(options)
		option.Screen(options)
	})
}
