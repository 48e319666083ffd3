package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/adapters/http/webhook"
)

func TestWebhookSaysWhatDiffersFromTheOthers(t *testing.T) {
	c, err := Parse("f.yaml", []byte(`
http: {webhooks: {allow: [10.1.0.0/16], timeout: 3s}}
addresses: [{name: jobs, kind: queue}, {name: "news/#", kind: topic}]
webhooks:
  - {name: one, from: jobs, url: "http://app.example/a?b=c"}
  - name: two
    from: news/#::two
    selector: colour = 'red'
    url: https://app.example
    contentMode: structured
    secret: whsec_QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD
    headers: [{name: Authorization, value: Bearer x}]
    concurrency: 1
    timeout: 1m
    retry: {initial: 2s, multiplier: 3, max: 1h, attempts: 9}
`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}; !reflect.DeepEqual(c.HTTP.Webhooks.Allow, want) {
		t.Errorf("allow: %v", c.HTTP.Webhooks.Allow)
	}
	one, err := c.Webhooks[0].Hook("default", &c.HTTP.Webhooks)
	if err != nil || one.Name != "one" || one.Tenant != "default" || one.From.Filter.String() != "jobs" || one.Form != http.Plain ||
		one.Concurrency != 8 || one.Timeout != 3*time.Second || len(one.Secrets) != 0 ||
		one.Retry != (webhook.Retry{Initial: time.Second, Multiplier: 2, Max: 5 * time.Minute}) {
		t.Errorf("%+v, %v", one, err)
	}
	two, err := c.Webhooks[1].Hook("default", &c.HTTP.Webhooks)
	if err != nil || two.From.Subscription != "two" || two.From.Selector == nil || two.Form != http.Structured || two.Concurrency != 1 ||
		two.Timeout != time.Minute || len(two.Secrets) != 1 || two.Headers[0] != (webhook.Header{Name: "Authorization", Value: "Bearer x"}) ||
		two.Retry != (webhook.Retry{Initial: 2 * time.Second, Multiplier: 3, Max: time.Hour, Attempts: 9}) {
		t.Errorf("%+v, %v", two, err)
	}
}

func TestWrongWebhooksAreRefused(t *testing.T) {
	const good = "name: a, from: jobs, url: 'https://app.example'"
	for _, c := range []struct{ text, want string }{
		{"from: jobs, url: 'http://x'", `webhooks[0].name: "" is not 1 to 63 letters`},
		{"name: a b, from: jobs, url: 'http://x'", `webhooks[0].name: "a b" is not 1 to 63 letters`},
		{"name: a, url: 'http://x'", `webhooks[0].from: `},
		{"name: a, from: none, url: 'http://x'", `webhooks[0].from: "none" is neither a queue that is declared nor topic::subscription`},
		{"name: a, from: news, url: 'http://x'", `webhooks[0].from: "news" is neither`},
		{"name: a, from: 'jobs/#', url: 'http://x'", `webhooks[0].from: "jobs/#" is neither`},
		{"name: a, from: 'news::', url: 'http://x'", `webhooks[0].from: the name of a subscription must follow`},
		{"name: a, from: jobs, url: ftp://x", `webhooks[0].url: is not a URL`},
		{"name: a, from: jobs, url: 'https://ann:secret@x'", `webhooks[0].url: is not a URL`},
		{good + ", selector: '='", `webhooks[0].selector: `},
		{good + ", contentMode: xml", `webhooks[0].contentMode: "xml" is not one of plain, binary, structured`},
		{good + ", secret: hush", `webhooks[0].secret: not a secret of the form whsec_`},
		{good + ", secretFile: f, secret: whsec_QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD", `webhooks[0].secretFile: there is a secret already`},
		{good + ", headers: [{name: 'a b', value: c}]", `webhooks[0].headers[0].name: "a b" is not the name of a header`},
		{good + ", headers: [{name: a, value: \"b\\nc\"}]", `webhooks[0].headers[0].value: has characters`},
		{good + ", headers: [{name: Webhook-Id, value: c}]", `webhooks[0].headers[0].name: webhook-id is set by the gateway`},
		{good + ", concurrency: 1001", `webhooks[0].concurrency: 1001 is not from 1 to 1000`},
		{good + ", timeout: -1s", `webhooks[0].timeout: -1s is not from`},
		{good + ", retry: {multiplier: 0.5}", `webhooks[0].retry.multiplier: 0.5 is not from 1 to 100`},
		{good + ", retry: {initial: 1m, max: 1s}", `webhooks[0].retry.max: 1s is not from 1m0s`},
		{good + "}, {" + good, `webhooks[1].name: "a" is declared in webhooks[0] already`},
	} {
		_, err := Parse("f.yaml", []byte("addresses: [{name: jobs, kind: queue}, {name: news, kind: topic}]\nwebhooks: [{"+c.text+"}]"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "hush")) {
			t.Errorf("a secret is shown: %v", err)
		}
	}
	for text, want := range map[string]string{
		"http: {webhooks: {concurrency: 0}}":     "http.webhooks.concurrency: 0 is not from 1 to 1000",
		"http: {webhooks: {timeout: 0s}}":        "http.webhooks.timeout: 0s is not from",
		"http: {webhooks: {allow: [localhost]}}": "http.webhooks.allow[0]: ",
		"tenants: [{name: a, origins: [x]}]":     `tenants[0].origins[0]: "x" is neither an origin`,
	} {
		if _, err := Parse("f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
