package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/adapters/http/webhook"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/selector"
)

// Webhooks is what holds for all webhooks: where they may go, and what one does that does not say itself.
type Webhooks struct {
	AllowPrivate bool           `yaml:"allowPrivate"` // whether they may go to loopback and private networks
	Allow        []netip.Prefix `yaml:"allow"`        // networks that they may go to whatever else holds
	Concurrency  int            `yaml:"concurrency"`  // messages that one posts at the same time
	Timeout      time.Duration  `yaml:"timeout"`      // for the answer to one request
	Retry        Retry          `yaml:"retry"`
}

// Retry says when a webhook tries again.
type Retry struct {
	Initial    time.Duration `yaml:"initial"`    // after the first try
	Multiplier float64       `yaml:"multiplier"` // how many times as long after each further one
	Max        time.Duration `yaml:"max"`        // at most
	Attempts   int           `yaml:"attempts"`   // after which a message is rejected; 0 leaves it to the queue's maxDeliveries
}

func defaultWebhooks() Webhooks {
	return Webhooks{
		Concurrency: 8,
		Timeout:     15 * time.Second,
		Retry:       Retry{Initial: time.Second, Multiplier: 2, Max: 5 * time.Minute},
	}
}

// Webhook declares that the messages of a queue or durable subscription are posted to a URL.
type Webhook struct {
	Name        string          `yaml:"name"`
	From        string          `yaml:"from"`     // a queue, or topic::subscription
	Selector    string          `yaml:"selector"` // which of its messages; none is all
	URL         string          `yaml:"url"`
	ContentMode http.Form       `yaml:"contentMode"`          // plain, or a CloudEvent: binary or structured
	Secret      webhook.Secret  `yaml:"secret" secret:"true"` // signs each request
	SecretFile  string          `yaml:"secretFile"`           // of secrets that do, one in a line
	Headers     []WebhookHeader `yaml:"headers"`
	Concurrency int             `yaml:"concurrency"` // 0 leaves it to http.webhooks.concurrency, and so on
	Timeout     time.Duration   `yaml:"timeout"`
	Retry       Retry           `yaml:"retry"`
}

// WebhookHeader is a header that each request of a webhook carries.
type WebhookHeader struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value" secret:"true"` // which may let in whoever knows it
}

// Hook gives the declaration in the words of package webhook, without the secrets of a file. What it does not say itself is
// as w says.
func (h *Webhook) Hook(tenant string, w *Webhooks) (webhook.Hook, error) {
	from, err := h.source()
	if err != nil {
		return webhook.Hook{}, err
	}
	hook := webhook.Hook{
		Tenant: tenant, Name: h.Name, From: from, URL: h.URL, Form: h.ContentMode,
		Concurrency: orElse(h.Concurrency, w.Concurrency), Timeout: orElse(h.Timeout, w.Timeout),
		Retry: webhook.Retry{
			Initial: orElse(h.Retry.Initial, w.Retry.Initial), Multiplier: orElse(h.Retry.Multiplier, w.Retry.Multiplier),
			Max: orElse(h.Retry.Max, w.Retry.Max), Attempts: orElse(h.Retry.Attempts, w.Retry.Attempts),
		},
	}
	if !h.Secret.IsZero() {
		hook.Secrets = append(hook.Secrets, h.Secret)
	}
	for _, header := range h.Headers {
		hook.Headers = append(hook.Headers, webhook.Header(header))
	}
	return hook, nil
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func (h *Webhook) source() (source router.Source, err error) {
	if source, err = http.ParseSource(h.From); err != nil {
		return source, err
	}
	if h.Selector != "" {
		source.Selector, err = selector.Parse(h.Selector)
	}
	return source, err
}

func (c *Config) validateWebhookDefaults(k *check) {
	w := &c.HTTP.Webhooks
	k.within("http.webhooks.concurrency", w.Concurrency, 1, maxConcurrency)
	k.span("http.webhooks.timeout", w.Timeout, 10*time.Millisecond)
	validateRetry(k, "http.webhooks.retry", &w.Retry)
}

const maxConcurrency = 1000 // messages that one webhook posts at the same time

func validateRetry(k *check, path string, r *Retry) {
	k.span(path+".initial", r.Initial, 10*time.Millisecond)
	k.refuse(r.Multiplier < 1 || r.Multiplier > 100, path+".multiplier", "%v is not from 1 to 100", r.Multiplier)
	k.span(path+".max", r.Max, r.Initial)
	k.within(path+".attempts", r.Attempts, 0, many)
}

// validateWebhooks checks those of one tenant, whose addresses are valid or refused already.
func (c *Config) validateWebhooks(k *check, path string, hooks []Webhook, addresses []Address) {
	first := make(map[string]int, len(hooks))
	for i := range hooks {
		h := &hooks[i]
		at := fmt.Sprintf("%s[%d]", path, i)
		j, twice := first[h.Name]
		first[h.Name] = i
		k.refuse(twice, at+".name", "%q is declared in %s[%d] already", h.Name, path, j)
		k.refuse(!isLabel(h.Name), at+".name", "%.80q is not 1 to 63 letters, digits, hyphens, dots and underscores", h.Name)
		validateFrom(k, at, h, addresses)
		validateURL(k, at+".url", h.URL)
		k.refuse(!h.Secret.IsZero() && h.SecretFile != "", at+".secretFile", "there is a secret already")
		for j, header := range h.Headers {
			validateHeader(k, fmt.Sprintf("%s.headers[%d]", at, j), header)
		}
		if hook, err := h.Hook("", &c.HTTP.Webhooks); err == nil {
			k.within(at+".concurrency", hook.Concurrency, 1, maxConcurrency)
			k.span(at+".timeout", hook.Timeout, 10*time.Millisecond)
			retry := Retry(hook.Retry)
			validateRetry(k, at+".retry", &retry)
		}
	}
}

// isLabel tells whether a text can be a name in metrics and logs.
func isLabel(text string) bool {
	odd := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", r)
	}
	return text != "" && len(text) <= 63 && !strings.ContainsFunc(text, odd)
}

func validateFrom(k *check, at string, h *Webhook, addresses []Address) {
	source, err := http.ParseSource(h.From)
	if err != nil {
		k.refuse(true, at+".from", "%v", err)
		return
	}
	if _, err := h.source(); err != nil {
		k.refuse(true, at+".selector", "%v", err)
	}
	if source.Subscription != "" {
		return
	}
	a, literal := source.Filter.Literal()
	definitions := make([]addressing.Definition, len(addresses))
	for i := range addresses {
		definitions[i] = addresses[i].Definition()
	}
	space, err := addressing.NewSpace(definitions)
	if err != nil {
		return // it is refused elsewhere
	}
	def, ok := space.Lookup(a)
	k.refuse(!literal || !ok || def.Kind != addressing.Queue, at+".from",
		"%.80q is neither a queue that is declared nor topic::subscription", h.From)
}

func validateURL(k *check, path, text string) {
	u, err := url.Parse(text)
	k.refuse(err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "", path,
		"is not a URL such as https://app.example/hook; a user and password belong into headers")
}

// validateHeader checks a header that is declared: RFC 9110 section 5, and those that the request must have of its own.
func validateHeader(k *check, path string, h WebhookHeader) {
	k.refuse(!httpguts.ValidHeaderFieldName(h.Name), path+".name", "%.80q is not the name of a header", h.Name)
	k.refuse(!httpguts.ValidHeaderFieldValue(h.Value), path+".value", "has characters that no header has")
	switch name := strings.ToLower(h.Name); name {
	case "host", "content-length", "transfer-encoding", "connection", "trailer", "upgrade", "te",
		"webhook-id", "webhook-timestamp", "webhook-signature":
		k.refuse(true, path+".name", "%s is set by the gateway", name)
	}
}
