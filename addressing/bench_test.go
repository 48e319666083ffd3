package addressing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

const subscriptions = 100_000

// fill makes an index of filters in MQTT notation; each format takes a number.
func fill(b *testing.B, formats ...string) *addressing.Index[int] {
	b.Helper()
	var x addressing.Index[int]
	for i := range subscriptions {
		x.Add(mqttFilter(b, fmt.Sprintf(formats[i%len(formats)], i)), i)
	}
	return &x
}

// addressesOf returns addresses of the devices that the benchmarks subscribe to, spread over all of them.
func addressesOf(format string, n int) []addressing.Address {
	list := make([]addressing.Address, 1024)
	for i := range list {
		list[i] = addressing.Address(fmt.Sprintf(format, i*7919%n))
	}
	return list
}

func benchmarkMatch(b *testing.B, x *addressing.Index[int], addresses []addressing.Address) {
	b.Helper()
	dst := make([]int, 0, 64)
	found, i := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		dst = x.Match(addresses[i%len(addresses)], dst[:0])
		found += len(dst)
		i++
	}
	b.ReportMetric(float64(found)/float64(i), "found/op")
}

func BenchmarkMatchLiteral(b *testing.B) {
	benchmarkMatch(b, fill(b, "site/7/device/%d/state"), addressesOf("site/7/device/%d/state", subscriptions))
}

func BenchmarkMatchNothing(b *testing.B) {
	benchmarkMatch(b, fill(b, "site/7/device/%d/state"), addressesOf("site/8/device/%d/state", subscriptions))
}

func BenchmarkMatchWildcardMix(b *testing.B) {
	x := fill(b, "site/7/device/%d/state", "site/+/device/%d/state", "site/7/device/%d/#", "site/7/+/%d/+")
	for i, text := range []string{"#", "site/#", "+/+/device/#", "site/+/+/+/state"} {
		x.Add(mqttFilter(b, text), -i)
	}
	benchmarkMatch(b, x, addressesOf("site/7/device/%d/state", subscriptions))
}

// BenchmarkMatchHostile searches filters with every choice of literal levels and wildcards before a last level that
// is wrong: the most that a number of filters can cost without one of them being found.
func BenchmarkMatchHostile(b *testing.B) {
	for _, choices := range []int{10, 16} {
		b.Run(fmt.Sprint("filters=", 1<<choices), func(b *testing.B) {
			var x addressing.Index[int]
			for bits := range 1 << choices {
				var text strings.Builder
				for i := range choices {
					text.WriteString([]string{"a/", "+/"}[bits>>i&1])
				}
				x.Add(mqttFilter(b, text.String()+"x"), bits)
			}
			benchmarkMatch(b, &x, []addressing.Address{addressing.Address(strings.Repeat("a/", choices) + "y")})
		})
	}
}

func BenchmarkIndexAddAndRemove(b *testing.B) {
	for name, format := range map[string]string{"literal": "site/7/device/%d/state", "pattern": "site/+/device/%d/#"} {
		b.Run(name, func(b *testing.B) {
			x, f := fill(b, format), mqttFilter(b, fmt.Sprintf(format, -1))
			b.ReportAllocs()
			for b.Loop() {
				x.Add(f, 1)
				x.Remove(f, 1)
			}
		})
	}
}

const definitions = 50_000

// manyDefinitions has nine literal names for each pattern.
func manyDefinitions(b *testing.B) []addressing.Definition {
	b.Helper()
	defs := []addressing.Definition{{Name: houseFilter(b, "#"), Kind: addressing.Topic}}
	for i := range definitions - 1 {
		format := "orders/region-%d/in"
		if i%10 == 0 {
			format = "orders/region-%d/*/#"
		}
		defs = append(defs, addressing.Definition{Name: houseFilter(b, fmt.Sprintf(format, i)), Kind: addressing.Queue})
	}
	return defs
}

func BenchmarkLookup(b *testing.B) {
	s, err := addressing.NewSpace(manyDefinitions(b))
	if err != nil {
		b.Fatal(err)
	}
	for name, format := range map[string]string{"literal": "orders/region-%d/in", "pattern": "orders/region-%d/in/7"} {
		b.Run(name, func(b *testing.B) {
			addresses, i := addressesOf(format, definitions), 0
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := s.Lookup(addresses[i%len(addresses)]); !ok {
					b.Fatal("no definition")
				}
				i++
			}
		})
	}
}

func BenchmarkOverlapping(b *testing.B) {
	s, err := addressing.NewSpace(manyDefinitions(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{"orders/region-7/in", "orders/region-10/#", "orders/*/in", "#"} {
		b.Run(strings.ReplaceAll(text, "/", "."), func(b *testing.B) {
			f := houseFilter(b, text)
			found := 0
			for b.Loop() {
				found = len(namesOf(s.Overlapping(f)))
			}
			b.ReportMetric(float64(found), "found/op")
		})
	}
}

func BenchmarkNewSpace(b *testing.B) {
	defs := manyDefinitions(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := addressing.NewSpace(defs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseAddress(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := addressing.ParseAddress("site/7/device/12345/state"); err != nil {
			b.Fatal(err)
		}
	}
}
