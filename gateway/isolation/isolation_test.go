package isolation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parties are all the protocols.
func parties() []party {
	return []party{
		amqpParty, mqttParty("MQTT 3.1.1", 4), mqttParty("MQTT 5", 5), stompParty, httpParty, socketParty, coapParty,
	}
}

// names are ways to name what is the victim's. %s stands for an address.
var ways = []string{
	"%s", "/%s", "%s/", "./%s", "victim/%s", "/victim/%s", "v1/victim/%s", "/v1/victim/%s", "../victim/%s", "../../victim/%s",
	"../../v1/victim/%s", "..%%2fvictim%%2f%s", "%%2e%%2e/victim/%s", "..\\victim\\%s", "..;/victim/%s", "%s@victim", "victim@%s",
	"victim:%s", "victim::%s", "victim|%s", "victim.%s", "victim,%s", "victim;%s", "victim!%s", "victim$%s", "victim\t%s", "victim\n%s",
	"victim\x00%s", "%s\x00", "\x00%s", "%s\x00victim", "\x01victim\x00%s", "intruder/../victim/%s", "$victim/%s", "$tenant/victim/%s",
	"$share/g/victim/%s", "$share/victim/%s", "$SYS/victim/%s", "$SYS/%s", "$SYS/#", "$management", "_local/$management",
	"_local/victim/%s", "_topo/0/victim/%s", "_edge/victim/%s", "L0victim/%s", "M0%s", "amqp://victim/%s", "//victim/%s",
	"//victim.gateway.example/%s", "%s?tenant=victim", "%s&tenant=victim", "%s#victim", "/queue/%s", "/topic/%s",
	"/queue/victim/%s", "/topic/victim/%s", "/exchange/victim/%s", "/temp-queue/%s", "/temp-queue/victim/%s", "queue://victim/%s",
	"topic://%s", "%s::victim", "VirtualTopic.%s", "Consumer.victim.%s", "#", "*", "+", "+/+", "*/*", "/#", "#/#", "victim/#",
	"+/%s", "*/%s", "+/victim/%s", "**", ">", "?", "[a-z]*",
}

// lookalikes give names that look the same, or are in another case.
var lookalikes = []struct {
	name string
	of   func(string) string
}{
	{"upper case", strings.ToUpper},
	{"full width", func(s string) string {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' {
				return r - 'a' + 'ａ'
			}
			return r
		}, s)
	}},
	{"Cyrillic", strings.NewReplacer("o", "о", "e", "е", "a", "а").Replace},
	{"a zero-width space within", func(s string) string { return s[:1] + "\u200b" + s[1:] }},
	{"a byte-order mark before", func(s string) string { return "\ufeff" + s }},
	{"a combining dot", func(s string) string { return s + "\u0307" }},
	{"a soft hyphen", func(s string) string { return s[:1] + "\u00ad" + s[1:] }},
	{"written from right to left", func(s string) string { return "\u202e" + s }},
	{"not UTF-8", func(s string) string { return s + "\xc0\xaf" }},
	{"an overlong slash", func(s string) string { return strings.ReplaceAll("victim/"+s, "/", "\xc0\xaf") }},
	{"doubled slashes", func(s string) string { return strings.ReplaceAll("victim/"+s, "/", "//") }},
	{"a trailing blank", func(s string) string { return s + " " }},
}

// spellings are all the names that are tried, of what there is by plain names: addresses of every kind, a subscription, a
// session and a client's own temporary queue.
func spellings(temporary string) []string {
	plain := []string{
		"jobs", "dead", "alerts", "commands/x", "telemetry/x", "telemetry/kept", "telemetry/#", "telemetry/#::reports", "reports",
		"device-1", "ear", "vic", "victim", temporary, "victim/" + temporary,
	}
	all := plain
	for i, way := range ways {
		if !strings.Contains(way, "%s") {
			all = append(all, way)
			continue
		}
		all = append(all, fmt.Sprintf(way, []string{"jobs", "telemetry/x"}[i%2]))
	}
	for i, l := range lookalikes {
		all = append(all, l.of([]string{"telemetry/x", "jobs"}[i%2]))
	}
	return all
}

// TestNoNameCrosses: whatever a user does with whatever name, over whatever protocol, he hears nothing of another tenant
// and is not heard there.
func TestNoNameCrosses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := spellings(w.temporary(t))
	w.each(t, func(d deed) (attempts []*attempt) {
		for _, name := range names {
			attempts = append(attempts, &attempt{intruder, name})
		}
		return attempts
	})
}

// each does every deed of every protocol in the ways that are given for it.
func (w *world) each(t *testing.T, ways func(deed) []*attempt) {
	t.Helper()
	cases := 0
	for _, p := range parties() {
		for _, d := range p.deeds {
			t.Run(p.name+"/"+d.name, func(t *testing.T) {
				attempts := ways(d)
				cases += len(attempts)
				for _, crossed := range w.try(t, d, attempts) {
					t.Error(crossed)
				}
			})
		}
	}
	t.Logf("%d cases", cases)
}

// seats are ways to say who one is that must not lead into the tenant of another.
var seats = []seat{
	{"mal@intruder", "a", "victim.gateway.example", "intruder"},
	{"mal@intruder", "a", "victim", "intruder"},
	{"mal@intruder", "a", "", "victim"},
	{"mal@intruder", "a", "victim", "victim"},
	{"mal@victim", "a", "", "victim"},
	{"mal@victim", "a", "", "intruder"},
	{"mal", "a", "victim.gateway.example", "victim"},
	{"vic", "a", "intruder", "intruder"},
	{"vic@intruder", "a", "victim", "victim"},
	{"vic@victim", "wrong", "", "victim"},
	{"vic@victim", "", "", "victim"},
	{"vic@victim@intruder", "a", "", "victim"},
	{"mal@intruder@victim", "a", "", "victim"},
	{"mal@intruder\x00@victim", "a", "", "victim"},
	{"mal@VICTIM", "a", "", "VICTIM"},
	{"mal@ｖictim", "a", "", "ｖictim"},
	{"mal@victim ", "a", "", "victim "},
	{"mal@victim.", "a", "victim.", "victim."},
	{"mal@../victim", "a", "", "../victim"},
	{"mal@intruder/../victim", "a", "", "intruder/../victim"},
	{"@victim", "a", "", "victim"},
	{"", "", "victim.gateway.example", "victim"},
	{"anonymous@victim", "", "victim", "victim"},
	{"*@victim", "a", "", "victim"},
	{"vic@*", "a", "", "*"},
}

// TestNoLoginCrosses: who is not the tenant's user does not come in, however he says which tenant he wants.
func TestNoLoginCrosses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.each(t, func(d deed) (attempts []*attempt) {
		if d.hear == "" {
			return nil
		}
		for _, s := range seats {
			attempts = append(attempts, &attempt{s, d.hear})
		}
		return attempts
	})
}

// TestACrossingWouldBeSeen: what the tests look for is found when the victim's own user does the same.
func TestACrossingWouldBeSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, p := range parties() {
		for _, d := range p.deeds {
			if d.hear == "" {
				continue
			}
			w.speak(t)
			if len(w.try(t, d, []*attempt{{victim, d.hear}})) == 0 {
				t.Errorf("%s, %s: %q by the victim's own user is not seen", p.name, d.name, d.hear)
			}
		}
	}
}

// temporary gives the name of a temporary queue of the victim, whose owner stays until the test ends.
func (w *world) temporary(t *testing.T) string {
	t.Helper()
	return w.stay(t, &attempt{seat: victim}, time.Hour).amqp().dynamic(t)
}
