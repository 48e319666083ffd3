package stat

import (
	"strings"
	"testing"
	"time"
)

// some are two addresses, one of them with a name that is up to no good.
var some = table{
	attributes: []string{"name", "bytes", "uptimeSeconds", "user"},
	rows:       [][]any{{"M0jobs", int64(123456), int64(61), "ann"}, {"Ltemp/\x1b[2J", int64(7), int32(0), nil}},
}

var plain = view{columns: []column{
	{"name", "address", asAddress}, {"bytes", "bytes", asBytes}, {"uptimeSeconds", "uptime", asDuration}, {"user", "user", asText},
}}

func TestEntitiesAreWrittenInEachFormat(t *testing.T) {
	turned := plain
	turned.turned = true
	one := table{some.attributes, some.rows[:1]}
	for _, c := range []struct {
		name, format string
		view         *view
		table        table
		want         string
	}{
		{"a table", "table", &plain, some, `
ADDRESS           BYTES  UPTIME  USER
jobs            121 KiB    1m1s  ann
"temp/\x1b[2J"      7 B      0s  -
`},
		{"a turned table", "table", &turned, one, `
address  jobs
bytes    121 KiB
uptime   1m1s
user     ann
`},
		{"CSV", "csv", &plain, one, `
name,bytes,uptimeSeconds,user
M0jobs,123456,61,ann
`},
		{"YAML", "yaml", &turned, one, `
bytes: 123456
name: M0jobs
uptimeSeconds: 61
user: ann
`},
		{"JSON", "json", &turned, one, `
{
  "bytes": 123456,
  "name": "M0jobs",
  "uptimeSeconds": 61,
  "user": "ann"
}
`},
		{"no JSON", "json", &plain, table{}, "\n[]\n"},
		{"no YAML", "yaml", &plain, table{}, "\n[]\n"},
	} {
		var b strings.Builder
		if err := formats[c.format](&b, c.view, c.table); err != nil || "\n"+b.String() != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, b.String())
		}
	}
}

func TestBytesHaveThreeDigits(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1500: "1.46 KiB", 1 << 20: "1 MiB", 1000 << 10: "0.977 MiB", 123 << 30: "123 GiB",
	} {
		if got := bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestBusiestAddressIsFirst(t *testing.T) {
	began := time.Now()
	before := sample{at: began, in: 10, addresses: []busy{{name: "a", in: 5}, {name: "b", in: 5, out: 5}, {name: "again", in: 100}}}
	now := sample{at: began.Add(2 * time.Second), in: 30, out: 4, addresses: []busy{
		{name: "a", in: 5}, {name: "stored", stored: 3}, {name: "again", in: 1}, {name: "b", in: 25, out: 9},
	}}
	in, out := now.since(before)
	var order []string
	for _, b := range now.addresses {
		order = append(order, b.name)
	}
	if b := now.addresses[0]; in != 10 || out != 2 || b.inRate != 10 || b.outRate != 2 || strings.Join(order, " ") != "b stored a again" {
		t.Errorf("%v in, %v out, %v first of %v", in, out, b, order)
	}
	if in, out := now.since(sample{}); in != 0 || out != 0 {
		t.Errorf("the first look tells of %v and %v a second", in, out)
	}
}

func TestWrongAnswersAreRefused(t *testing.T) {
	for _, answer := range []any{
		nil, "text", map[string]any{}, map[string]any{"results": 1}, map[string]any{"results": []any{1}},
		map[string]any{"results": []any{[]any{"one"}}},
	} {
		if rows, err := rowsOf(answer, 2); err == nil {
			t.Errorf("%v gives %v", answer, rows)
		}
	}
	if rows, err := rowsOf(map[string]any{"results": []any{[]any{"a", nil}}}, 2); err != nil || len(rows) != 1 {
		t.Errorf("%v, %v", rows, err)
	}
}
