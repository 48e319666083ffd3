package management

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

func TestAnswerGoesToItsRequest(t *testing.T) {
	for _, c := range []struct {
		name string
		p    amqp.Properties
		want any
	}{
		{"by message-id", amqp.Properties{MessageID: "m1"}, "m1"},
		{"by correlation-id", amqp.Properties{MessageID: "m1", CorrelationID: uint64(7)}, uint64(7)},
		{"by nothing", amqp.Properties{}, nil},
	} {
		c.p.ReplyTo = "answers"
		w := amqp.BeginApplicationProperties(c.p.Append(nil))
		w.String("operation", "GET-TYPES")
		m := Answer(t.Context(), newHouse(t), everything, amqp.Trusted(w.End()), room)
		p, err := m.Properties()
		if err != nil || p.To != "answers" || p.CorrelationID != c.want {
			t.Errorf("%s: %+v, %v", c.name, p, err)
		}
	}
}

func TestRequestsAreJudged(t *testing.T) {
	reader := Rights{Read: true}
	for _, c := range []struct {
		name string
		may  Rights
		ask  asking
		want int32
	}{
		{"nobody reads", Rights{}, asking{map[string]any{"operation": "QUERY"}, nil}, 403},
		{"nobody is told what is wrong", Rights{}, asking{map[string]any{}, nil}, 403},
		{"a reader reads", reader, asking{map[string]any{"operation": "QUERY"}, nil}, 200},
		{"in small letters", reader, asking{map[string]any{"operation": "query"}, nil}, 200},
		{"a reader creates", reader, asking{map[string]any{"operation": "CREATE"}, nil}, 403},
		{"a reader deletes", reader, asking{map[string]any{"operation": "delete", "name": "jobs"}, nil}, 403},
		{"no operation", everything, asking{map[string]any{}, nil}, 400},
		{"an operation that is a number", everything, asking{map[string]any{"operation": int32(1)}, nil}, 400},
		{"an operation of nobody", everything, asking{map[string]any{"operation": "FLY"}, nil}, 501},
		{"an operation of nobody, at an address", everything, asking{map[string]any{"operation": "FLY", "name": "jobs"}, nil}, 501},
		{"an operation of nobody, at nothing", everything, asking{map[string]any{"operation": "FLY", "name": "x"}, nil}, 404},
		{"QUERY at an address", everything, asking{map[string]any{"operation": "QUERY", "name": "jobs"}, nil}, 501},
		{"QUERY of what is no type", everything, asking{map[string]any{"operation": "QUERY", "entityType": "x"}, nil}, 400},
		{"QUERY from below 0", everything, asking{map[string]any{"operation": "QUERY", "offset": int32(-1)}, nil}, 400},
		{"QUERY for text", everything, asking{map[string]any{"operation": "QUERY", "count": "many"}, nil}, 400},
		{"QUERY with a list", everything, asking{map[string]any{"operation": "QUERY"}, amqp.List{"x"}}, 400},
		{"QUERY for attributes that are none", everything,
			asking{map[string]any{"operation": "QUERY"}, amqp.Map{{Key: "attributeNames", Value: "name"}}}, 400},
		{"QUERY for attributes that are numbers", everything,
			asking{map[string]any{"operation": "QUERY"}, amqp.Map{{Key: "attributeNames", Value: amqp.List{int32(1)}}}}, 400},
		{"READ of nothing", everything, asking{map[string]any{"operation": "READ", "type": "listener"}, nil}, 400},
		{"READ of itself", everything, asking{map[string]any{"operation": "READ", "type": "org.amqp.management"}, nil}, 200},
		{"READ by name", everything, asking{map[string]any{"operation": "READ", "name": "jobs"}, nil}, 200},
		{"READ by identity", everything, asking{map[string]any{"operation": "READ", "identity": "listener/http"}, nil}, 200},
		{"READ of another type", everything, asking{map[string]any{"operation": "READ", "name": "jobs", "type": "listener"}, nil}, 400},
		{"READ of what is not there", everything, asking{map[string]any{"operation": "READ", "name": "x"}, nil}, 404},
		{"UPDATE of a listener", everything, asking{map[string]any{"operation": "UPDATE", "identity": "listener/http"}, nil}, 501},
		{"DELETE of a listener", everything, asking{map[string]any{"operation": "DELETE", "identity": "listener/amqp"}, nil}, 403},
		{"DELETE of one of HTTP", everything, asking{map[string]any{"operation": "DELETE", "identity": "listener/http"}, nil}, 400},
		{"CREATE of a listener", everything, asking{map[string]any{"operation": "CREATE", "type": "listener", "name": "x"}, nil}, 201},
		{"CREATE of nothing", everything, asking{map[string]any{"operation": "CREATE"}, nil}, 400},
		{"GET-ATTRIBUTES of what is no type", everything, asking{map[string]any{"operation": "GET-ATTRIBUTES", "entityType": "x"}, nil}, 400},
		{"GET-LOG", everything, asking{map[string]any{"operation": "GET-LOG"}, nil}, 200},
		{"GET-MGMT-NODES", everything, asking{map[string]any{"operation": "GET-MGMT-NODES"}, nil}, 200},
		{"GET-ANNOTATIONS", everything, asking{map[string]any{"operation": "GET-ANNOTATIONS"}, nil}, 200},
		{"GET-SCHEMA", everything, asking{map[string]any{"operation": "GET-SCHEMA"}, nil}, 200},
	} {
		if got := newHouse(t, "jobs").ask(t, c.may, c.ask); got.status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, got.status, got.description, c.want)
		}
	}
}

func TestQueryGivesWhatIsAskedFor(t *testing.T) {
	h := newHouse(t)
	names, rows := h.query(t, map[string]any{"entityType": "org.apache.qpid.dispatch.connection"}, "container", "wings", "type")
	if fmt.Sprint(names, rows) != "[container wings type] [[client-0 <nil> org.apache.qpid.dispatch.connection]"+
		" [client-1 <nil> org.apache.qpid.dispatch.connection] [client-2 <nil> org.apache.qpid.dispatch.connection]]" {
		t.Errorf("%v: %v", names, rows)
	}
	names, rows = h.query(t, map[string]any{"entityType": "io.skupper.router.router"})
	at := slices.Index(names, any("type"))
	if len(rows) != 1 || rows[0].(amqp.List)[at] != "io.skupper.router.router" || len(rows[0].(amqp.List)) != len(names) {
		t.Errorf("%v: %v", names, rows)
	}
	if _, rows := h.query(t, map[string]any{"entityType": "router.config.exchange"}); len(rows) != 0 {
		t.Errorf("exchanges: %v", rows)
	}
	if _, rows := h.query(t, map[string]any{"entityType": "configurationEntity"}, "identity"); fmt.Sprint(rows) !=
		"[[router/house] [listener/amqp] [listener/http] [policy] [log/DEFAULT]]" {
		t.Errorf("what is declared: %v", rows)
	}
}

func TestQueryGoesPageByPage(t *testing.T) {
	h := newHouse(t, "a", "b", "c", "d", "e")
	for _, entityType := range []string{declarationName, ""} {
		_, all := h.query(t, map[string]any{"entityType": entityType}, "identity")
		var paged amqp.List
		for {
			_, page := h.query(t, map[string]any{"entityType": entityType, "offset": int64(len(paged)), "count": uint32(2)}, "identity")
			paged = append(paged, page...)
			if len(page) < 2 {
				break
			}
		}
		if fmt.Sprint(paged) != fmt.Sprint(all) || len(all) < 5 {
			t.Errorf("%q: %v, page by page %v", entityType, all, paged)
		}
	}
	if _, rows := h.query(t, map[string]any{"count": int32(0)}); len(rows) != 0 {
		t.Errorf("%d rows, where none were asked for", len(rows))
	}
}

func TestAnswerThatHasNoRoomIsRefused(t *testing.T) {
	h := newHouse(t)
	h.connections = 10_000
	whole := asking{map[string]any{"operation": "QUERY", "entityType": "connection"}, nil}.message(t)
	m := Answer(t.Context(), h, everything, whole, room)
	if status, _ := m.ApplicationProperty("statusCode"); status != int32(statusTooLarge) || m.Len() > room {
		t.Errorf("status %v of %d bytes", status, m.Len())
	}
	page := asking{map[string]any{"operation": "QUERY", "entityType": "connection", "offset": int32(9_000), "count": int32(500)}, nil}.message(t)
	m = Answer(t.Context(), h, everything, page, room)
	if status, _ := m.ApplicationProperty("statusCode"); status != int32(statusOK) {
		t.Errorf("a page: status %v", status)
	}
	schema := asking{map[string]any{"operation": "GET-SCHEMA"}, nil}.message(t)
	if m = Answer(t.Context(), h, everything, schema, 1000); m.Len() > 1000 {
		t.Errorf("%d bytes, where there is room for 1000", m.Len())
	}
}

func TestAddressIsCreatedUpdatedAndDeleted(t *testing.T) {
	h := newHouse(t)
	do := func(operation string, want int32, properties map[string]any, body amqp.Map) amqp.Map {
		t.Helper()
		properties["operation"] = operation
		got := h.ask(t, everything, asking{properties, body})
		if got.status != want {
			t.Errorf("%s %v: %d %s, want %d", operation, properties, got.status, got.description, want)
		}
		return got.body.(amqp.Map)
	}
	const address = dispatchPrefix + declarationName
	do("CREATE", 201, map[string]any{"type": address, "name": "orders"}, amqp.Map{{Key: "prefix", Value: "orders"}, {Key: "waypoint", Value: "yes"}})
	do("CREATE", 400, map[string]any{"type": address, "name": "orders"}, amqp.Map{{Key: "prefix", Value: "orders"}})
	if d := h.declared["tokens:orders/#"]; d.Kind != "queue" || d.Distribution != "balanced" {
		t.Errorf("declared %+v", h.declared)
	}
	for _, id := range []string{"orders", "orders/#", "router.config.address/orders/#"} {
		if e := do("READ", 200, map[string]any{"type": address, "name": id}, nil); len(e) == 0 {
			t.Errorf("%s reads as %v", id, e)
		}
	}
	read := do("READ", 200, map[string]any{"name": "orders"}, nil)
	do("UPDATE", 200, map[string]any{"name": "orders"}, read) // as it was
	do("UPDATE", 200, map[string]any{"type": address, "name": "orders"}, amqp.Map{{Key: "distribution", Value: "multicast"}, {Key: "maxMessages", Value: int32(5)}})
	if d := h.declared["tokens:orders/#"]; d.Kind != "topic" || d.MaxMessages != 5 || len(h.declared) != 1 {
		t.Errorf("updated to %+v", h.declared)
	}
	do("UPDATE", 200, map[string]any{"type": address, "name": "orders"}, amqp.Map{{Key: "kind", Value: "anycast"}})
	do("UPDATE", 400, map[string]any{"name": "orders"}, amqp.Map{{Key: "prefix", Value: "other"}})
	do("UPDATE", 404, map[string]any{"name": "other"}, amqp.Map{{Key: "waypoint", Value: true}})
	do("DELETE", 204, map[string]any{"type": address, "name": "orders"}, nil)
	do("DELETE", 404, map[string]any{"type": address, "name": "orders"}, nil)
	if len(h.declared) != 0 {
		t.Errorf("left %v", h.declared)
	}
}

func TestAddressIsOfAKind(t *testing.T) {
	for body, want := range map[string]string{
		`{"pattern": "a"}`:                                                "a anycast balanced",
		`{"pattern": "a/*/b"}`:                                            "tokens:a/*/b anycast balanced",
		`{"prefix": "a/"}`:                                                "tokens:a/# anycast balanced",
		`{"prefix": "a", "distribution": "closest"}`:                      "tokens:a/# anycast closest",
		`{"prefix": "a", "distribution": "multicast"}`:                    "tokens:a/# broadcast multicast",
		`{"pattern": "a", "waypoint": true}`:                              "a queue balanced",
		`{"pattern": "a", "waypoint": true, "distribution": "multicast"}`: "a topic multicast",
		`{"pattern": "a", "kind": "topic"}`:                               "a topic multicast",
		`{"pattern": "a", "priority": -1, "ingressPhase": 0}`:             "a anycast balanced",
		`{"pattern": "a", "distribution": "unavailable"}`:                 "a anycast unavailable",
		`{"pattern": "a", "kind": "stack"}`:                               "400",
		`{"pattern": "a", "kind": "queue", "waypoint": true}`:             "400",
		`{"pattern": "a", "name": "b"}`:                                   "b anycast balanced",
		`{"pattern": "a", "prefix": "a"}`:                                 "400",
		`{"prefix": "a/*"}`:                                               "400",
		`{"pattern": "#/a"}`:                                              "tokens:#/a anycast balanced",
		`{"waypoint": true}`:                                              "400",
		`{"pattern": "a", "waypoint": "perhaps"}`:                         "400",
		`{"pattern": 5}`:                                                  "400",
		`{"pattern": "a", "wings": 2}`:                                    "400",
		`{"pattern": "a", "identity": "x"}`:                               "400",
		`{"pattern": "a", "type": "listener"}`:                            "400",
		`{"pattern": "a", "priority": 9}`:                                 "a anycast balanced",
		`{"pattern": "a", "priority": 10}`:                                "400",
		`{"pattern": "a", "egressPhase": 1}`:                              "a anycast balanced",
		`{"pattern": "a", "enableFallback": true}`:                        "a anycast balanced",
		`{"pattern": "a", "enableFallback": true, "kind": "broadcast"}`:   "400",
	} {
		var read map[string]any
		if err := json.Unmarshal([]byte(body), &read); err != nil {
			t.Fatal(err)
		}
		asked := amqp.Map{}
		for key, value := range read {
			if n, ok := value.(float64); ok {
				value = int64(n)
			}
			asked = append(asked, amqp.Entry{Key: key, Value: value})
		}
		h := newHouse(t)
		got := h.ask(t, everything, asking{map[string]any{"operation": "CREATE", "type": declarationName}, asked})
		result := fmt.Sprint(got.status)
		for _, d := range h.declared {
			result = strings.Join([]string{d.Name, d.Kind, d.Distribution}, " ")
		}
		if result != want {
			t.Errorf("%s: %s (%s), want %s", body, result, got.description, want)
		}
	}
}

func TestConnectionIsClosedByItsStatus(t *testing.T) {
	h := newHouse(t)
	closing := asking{map[string]any{"operation": "UPDATE", "type": "connection", "identity": "1"}, amqp.Map{{Key: "adminStatus", Value: "deleted"}}}
	if got := h.ask(t, everything, closing); got.status != 200 || fmt.Sprint(h.dismissed) != "[1]" {
		t.Errorf("%d %s: closed %v", got.status, got.description, h.dismissed)
	}
	closing.body = amqp.Map{{Key: "adminStatus", Value: "asleep"}}
	if got := h.ask(t, everything, closing); got.status != 400 {
		t.Errorf("asleep: %d", got.status)
	}
}

func TestConnectionIsTracedWhenSomebodySaysSo(t *testing.T) {
	h := newHouse(t)
	for identity, want := range map[string]int32{"1": 200, "7": 404, "G1": 400} {
		got := h.ask(t, everything, asking{
			map[string]any{"operation": "UPDATE", "type": "connection", "identity": identity}, amqp.Map{{Key: "enableProtocolTrace", Value: "yes"}},
		})
		if got.status != want {
			t.Errorf("%s: %d %s, want %d", identity, got.status, got.description, want)
		}
	}
	if fmt.Sprint(h.traced) != "[1 true]" {
		t.Errorf("traced are %v", h.traced)
	}
}

func TestLogsAreChangedAndCounted(t *testing.T) {
	h := newHouse(t)
	update := asking{map[string]any{"operation": "UPDATE", "type": "log", "name": "log/DEFAULT"}, amqp.Map{{Key: "enable", Value: "debug+"}}}
	if got := h.ask(t, everything, update); got.status != 200 || h.log == nil || h.log.Enable != "debug+" || *h.log.OutputFile != "stderr" {
		t.Errorf("%d %s: %+v", got.status, got.description, h.log)
	}
	if got := h.ask(t, Rights{Read: true}, update); got.status != 403 {
		t.Errorf("who only reads: %d", got.status)
	}
	got := h.ask(t, everything, asking{map[string]any{"operation": "READ", "type": "logStats", "name": "logStats/DEFAULT"}, nil})
	if n, _ := got.body.(amqp.Map).Get("infoCount"); n != int64(7) {
		t.Errorf("it counts %v: %d %s", n, got.status, got.description)
	}
}

func TestTypesAreDescribed(t *testing.T) {
	describe := func(operation, entityType string) amqp.Map {
		t.Helper()
		got := newHouse(t).ask(t, everything, asking{map[string]any{"operation": operation, "entityType": entityType}, nil})
		if got.status != 200 {
			t.Fatalf("%s %s: %d %s", operation, entityType, got.status, got.description)
		}
		return got.body.(amqp.Map)
	}
	for operation, want := range map[string]string{
		"GET-TYPES":      "[io.skupper.router.configurationEntity io.skupper.router.entity]",
		"GET-OPERATIONS": "[CREATE UPDATE DELETE READ]",
	} {
		if got := describe(operation, "io.skupper.router.router.config.address"); len(got) != 1 || got[0].Key != "io.skupper.router.router.config.address" ||
			fmt.Sprint(got[0].Value) != want {
			t.Errorf("%s: %v", operation, got)
		}
	}
	// What the tables of qdstat need; where one is missing it ends with an error.
	for entityType, needed := range map[string]string{
		"connection": "identity host container role protocol dir isAuthenticated sasl user isEncrypted sslProto sslCipher tenant " +
			"lastDlvSeconds uptimeSeconds",
		"router.link": "linkType linkDir connectionId identity peer owningAddr capacity undeliveredCount unsettledCount deliveryCount " +
			"presettledCount droppedPresettledCount acceptedCount rejectedCount releasedCount modifiedCount deliveriesDelayed1Sec " +
			"deliveriesDelayed10Sec deliveriesStuck creditAvailable zeroCreditSeconds adminStatus operStatus linkName priority settleRate",
		"router.address": "distribution inProcess subscriberCount remoteCount containerCount deliveriesIngress deliveriesEgress " +
			"deliveriesRedirectedToFallback deliveriesTransit deliveriesToContainer deliveriesFromContainer name priority",
		"allocator": "identity typeSize transferBatchSize localFreeListMax totalAllocFromHeap heldByThreads batchesRebalancedToThreads " +
			"batchesRebalancedToGlobal",
		"router": "version mode id workerThreads uptimeSeconds memoryUsage area linkRouteCount autoLinkCount linkCount nodeCount " +
			"addrCount connectionCount presettledDeliveries droppedPresettledDeliveries acceptedDeliveries rejectedDeliveries " +
			"releasedDeliveries modifiedDeliveries deliveriesDelayed1Sec deliveriesDelayed10Sec deliveriesStuck " +
			"deliveriesRedirectedToFallback linksBlocked deliveriesIngress deliveriesEgress deliveriesTransit " +
			"deliveriesIngressRouteContainer deliveriesEgressRouteContainer",
		"policy": "maxConnections maxMessageSize enableVhostPolicy enableVhostNamePatterns policyDir defaultVhost " +
			"connectionsProcessed connectionsDenied connectionsCurrent linksDenied maxMessageSizeDenied totalDenials",
	} {
		got := describe("GET-ATTRIBUTES", dispatchPrefix+entityType)[0].Value.(amqp.List)
		for _, name := range strings.Fields(needed) {
			if !slices.Contains(got, any(name)) {
				t.Errorf("%s has no %s", entityType, name)
			}
		}
	}
}

func TestSchemaSaysWhatEachAttributeIs(t *testing.T) {
	for _, known := range allTypes {
		seen := make(map[string]bool)
		for _, a := range known.attributes {
			if a.about == "" || a.kind == "" || seen[a.name] {
				t.Errorf("%s: attribute %q, a %q: %q", known.name, a.name, a.kind, a.about)
			}
			seen[a.name] = true
		}
		if known.about == "" {
			t.Errorf("%s is not described", known.name)
		}
	}
	got := newHouse(t).ask(t, everything, asking{map[string]any{"operation": "GET-JSON-SCHEMA", "indent": int32(2)}, nil})
	var schema struct {
		EntityTypes map[string]struct{ Attributes map[string]any }
	}
	text, _ := got.body.(string)
	if err := json.Unmarshal([]byte(text), &schema); err != nil || len(schema.EntityTypes) != len(allTypes) {
		t.Errorf("%d types, %v", len(schema.EntityTypes), err)
	}
}

func TestEveryReasonHasAStatus(t *testing.T) {
	for r := range router.Reason(router.ReasonCount) {
		if status, _ := statusOf(router.Errorf(r, "x")); status < 200 || status > 599 {
			t.Errorf("%s: %d", r, status)
		}
	}
	if status, text := statusOf(fmt.Errorf("disk: %w", fmt.Errorf("secret path"))); status != 500 || strings.Contains(text, "secret") {
		t.Errorf("%d %s", status, text)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, a := range []asking{
		{map[string]any{"operation": "QUERY", "entityType": "connection", "offset": int32(1), "count": int32(1)},
			amqp.Map{{Key: "attributeNames", Value: amqp.List{"name", amqp.Symbol("identity")}}}},
		{map[string]any{"operation": "CREATE", "type": "router.config.address", "name": "a"}, amqp.Map{{Key: "prefix", Value: "a"}, {Key: "waypoint", Value: true}}},
		{map[string]any{"operation": "UPDATE", "name": "jobs"}, amqp.Map{{Key: "distribution", Value: "multicast"}, {Key: int32(1), Value: nil}}},
		{map[string]any{"operation": "GET-JSON-SCHEMA", "indent": "2"}, nil},
		{map[string]any{"operation": "UPDATE", "identity": "1"}, amqp.Map{{Key: "properties", Value: amqp.NewArray[uint32](1, 2)}}},
	} {
		f.Add(a.message(f).Bytes())
	}
	f.Fuzz(func(t *testing.T, encoded []byte) {
		request, err := amqp.ParseMessage(encoded)
		if err != nil {
			return
		}
		asked, err := request.Properties()
		if err != nil {
			return
		}
		answer := Answer(t.Context(), newHouse(t, "jobs"), everything, request, room)
		read, err := amqp.ParseMessage(answer.Bytes())
		if err != nil {
			t.Fatalf("the answer cannot be read: %v", err)
		}
		if p, err := read.Properties(); err != nil || p.To != asked.ReplyTo {
			t.Errorf("the answer to %q goes to %q: %v", asked.ReplyTo, p.To, err)
		}
		if status, ok := read.ApplicationProperty("statusCode"); !ok || status.(int32) < 200 {
			t.Errorf("status %v", status)
		}
	})
}
