//go:build interop

package interop

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// encodings has values of every type in each of its encodings, in hexadecimals [1.6]. They are written out, and not
// made by the codec that is tested.
var encodings = []struct{ name, encoded string }{
	{"null", "40"},
	{"boolean true", "41"},
	{"boolean false", "42"},
	{"boolean true in an octet", "5601"},
	{"boolean false in an octet", "5600"},
	{"ubyte", "50ff"},
	{"ushort", "60ffff"},
	{"uint", "70ffffffff"},
	{"uint of one octet, wide", "7000000001"},
	{"uint of one octet", "52ff"},
	{"uint zero", "43"},
	{"ulong", "80ffffffffffffffff"},
	{"ulong of one octet, wide", "800000000000000001"},
	{"ulong of one octet", "53ff"},
	{"ulong zero", "44"},
	{"byte", "5180"},
	{"short", "618000"},
	{"int", "7180000000"},
	{"int of one octet", "5480"},
	{"long", "818000000000000000"},
	{"long of one octet", "5580"},
	{"float", "7240490fdb"},
	{"float not a number", "727fc00001"},
	{"double", "82400921fb54442d18"},
	{"double infinite", "82fff0000000000000"},
	{"decimal32", "7432800001"},
	{"decimal64", "8431c0000000000001"},
	{"decimal128", "9430400000000000000000000000000001"},
	{"char", "730001f680"},
	{"timestamp", "83000001926abbb4b0"},
	{"timestamp before 1970", "83ffffffffffffffff"},
	{"uuid", "980123456789abcdef0123456789abcdef"},
	{"binary", "a00400ff8001"},
	{"binary, wide", "b00000000400ff8001"},
	{"binary, empty", "a000"},
	{"string", "a1066e61c3af7665"},
	{"string, wide", "b1000000066e61c3af7665"},
	{"string, empty", "a100"},
	{"symbol", "a308612d73796d626f6c"},
	{"symbol, wide", "b300000008612d73796d626f6c"},
}

// compounds are values that have others in them, which application properties may not be [3.2.5].
var compounds = []struct{ name, encoded string }{
	{"list, empty", "45"},
	{"list, empty, with a size", small("c0", 0)},
	{"list", small("c0", 3, "41", "5401", "a100")},
	{"list, wide", large("d0", 3, "41", "5401", "a100")},
	{"map, empty", small("c1", 0)},
	{"map", small("c1", 2, "a1016b", "5401")},
	{"map, wide", large("d1", 2, "a1016b", "5401")},
	{"map with keys of other types", small("c1", 6, "5401", "40", "41", "45", "5005", "41")},
	{"maps and lists in each other", small("c1", 4,
		"a1016d", small("c1", 2, "a1016b", "5401"), "a1016c", small("c0", 1, small("c0", 1, "45")))},
	{"array of nothing", small("e0", 0, "40")},
	{"array of nulls", small("e0", 3, "40")},
	{"array of booleans", small("e0", 2, "56", "01", "00")},
	{"array of ints", small("e0", 2, "71", "00000001", "ffffffff")},
	{"array of small ints", small("e0", 2, "54", "01", "ff")},
	{"array, wide", large("f0", 2, "71", "00000001", "ffffffff")},
	{"array of strings", small("e0", 2, "a1", "0161", "0162")},
	{"array of symbols", small("e0", 2, "a3", "0161", "0162")},
	{"array of uuids", small("e0", 1, "98", "0123456789abcdef0123456789abcdef")},
	{"array of decimals", small("e0", 1, "74", "32800001")},
	{"array of lists", small("e0", 2, "c0", small("", 0), small("", 1, "5401"))},
	{"array of maps", small("e0", 1, "c1", small("", 2, "a1016b", "5401"))},
	{"array of arrays", small("e0", 2, "e0", small("", 2, "54", "01", "ff"), small("", 0, "54"))},
	{"array of described strings", small("e0", 2, "00a30178a1", "0161", "0162")},
	{"described value", "00a30a616e3a61646472657373a10161"},
	{"described by a number", "00800000468c00000004a10161"},
	{"described list", "0053ff" + small("c0", 1, "5401")},
	{"described value that is described", "00a3016100a301625401"},
	{"list with a described value", small("c0", 2, "00a301615401", "40")},
}

// small encodes a compound or an array whose size and count take one octet each; without a code, an array's element.
func small(code string, count int, parts ...string) string {
	contents := strings.Join(parts, "")
	return fmt.Sprintf("%s%02x%02x%s", code, len(contents)/2+1, count, contents)
}

// large encodes one whose size and count take four octets each.
func large(code string, count int, parts ...string) string {
	contents := strings.Join(parts, "")
	return fmt.Sprintf("%s%08x%08x%s", code, len(contents)/2+4, count, contents)
}

// Sections [3.2], and names in them.
const (
	header            = "005370"
	annotations       = "005372"
	properties        = "005373"
	application       = "005374"
	data              = "005375"
	sequence          = "005376"
	value             = "005377"
	nothing           = value + "40"
	footer            = "005378"
	annotationOfValue = "a307782d6f70742d76"
	propertyOfValue   = "a10176"
)

// everyMessage gives messages that have each value in each place that it may take, and one of each form of section.
func everyMessage() map[string]string {
	messages := map[string]string{
		"header":                    header + small("c0", 4, "41", "5006", "40", "42") + nothing,
		"data, several times":       data + "a00200ff" + data + "b00000000101" + data + "a000",
		"sequence, several times":   sequence + "45" + sequence + small("c0", 1, "5401") + sequence + large("d0", 1, "54ff"),
		"descriptor of ulong, wide": "0080000000000000007740",
		"descriptor by name":        "00a311616d71703a616d71702d76616c75653a2a40",
		"no body":                   properties + "45",
		"properties": properties + small("c0", 13, "a10161", "a00162", "a10163", "a10164", "a10165", "a10166", "a30167",
			"a30168", "83000003a352944000", "83000001926abbb4b0", "a10169", "5207", "a1016a") + nothing,
		"properties, wide": properties + large("d0", 1, "b10000000161") + nothing,
	}
	for _, c := range slices.Concat(encodings, compounds) {
		messages[c.name+" as body"] = value + c.encoded
		messages[c.name+" as annotation"] = annotations + small("c1", 2, annotationOfValue, c.encoded) + nothing
		messages[c.name+" in the footer"] = nothing + footer + small("c1", 2, annotationOfValue, c.encoded)
	}
	for _, c := range encodings {
		messages[c.name+" as property"] = application + small("c1", 2, propertyOfValue, c.encoded) + nothing
	}
	for _, id := range []string{
		"44", "53ff", "80ffffffffffffffff", "980123456789abcdef0123456789abcdef", "a00100", "a10161",
	} {
		messages["message-id "+id] = properties + small("c0", 1, id) + nothing
	}
	return messages
}

func TestEveryEncodingPassesUnchanged(t *testing.T) {
	need(t, "python3-qpid-proton")
	g := start(t, t.TempDir())
	messages := everyMessage()
	names := slices.Sorted(maps.Keys(messages))
	for _, address := range []string{"queues/types", "commands/types"} {
		t.Run(address, func(t *testing.T) {
			var input strings.Builder
			for _, name := range names {
				input.WriteString(messages[name] + "\n")
			}
			echo := command(t, debianPython, g.proton("echo.py", address)...)
			echo.Stdin = strings.NewReader(input.String())
			got := strings.Split(output(t, echo), "\n")
			for i, name := range names {
				if got[i] != messages[name] {
					t.Fatalf("%s: sent %s, received %s", name, messages[name], got[i])
				}
			}
		})
	}
}
