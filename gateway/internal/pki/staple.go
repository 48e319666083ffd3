package pki

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

var errNoStaple = errors.New("the certificate may only be shown with a proof of OCSP (must-staple), and there is none yet")

// featureExtension lists what a certificate may not be shown without (RFC 7633 section 4.1); statusRequest is the one that
// means stapling.
var featureExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

const statusRequest = 5

// mustStaple tells whether a certificate says that it comes with a proof of OCSP.
func mustStaple(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		var features []int
		if e.Id.Equal(featureExtension) {
			if _, err := asn1.Unmarshal(e.Value, &features); err == nil {
				return slices.Contains(features, statusRequest)
			}
		}
	}
	return false
}

// stapler asks servers of OCSP. It is used by one goroutine.
type stapler struct {
	log    *slog.Logger
	client *http.Client
	plans  map[string]plan // by certificate
}

// plan is when a certificate's server is asked next.
type plan struct {
	at   time.Time
	rest time.Duration // the last time that it was left alone after it had not answered; 0 after an answer
}

// How servers of OCSP are asked.
const (
	ocspPatience = 10 * time.Second // for one answer
	maxOCSP      = 64 << 10         // bytes of it
	firstRest    = 10 * time.Second // after one has not answered
	longestRest  = 30 * time.Minute // likewise, after it has not for a long time
	unlimited    = 12 * time.Hour   // after an answer that does not say until when it is good
)

func newStapler(log *slog.Logger) *stapler {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	return &stapler{
		log: log, plans: make(map[string]plan),
		client: &http.Client{Timeout: ocspPatience, Transport: transport},
	}
}

// Staple asks servers of OCSP what they say of the gateway's certificates, again and again, until ctx ends.
func (k *Keyring) Staple(ctx context.Context) {
	if k.stapler == nil {
		return
	}
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		k.stapleDue(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// stapleDue asks for what is due.
func (k *Keyring) stapleDue(ctx context.Context, now time.Time) {
	known := make(map[string]plan)
	for _, c := range k.current.Load().all {
		issuer, ok := c.issuer()
		if !ok || len(c.Leaf.OCSPServer) == 0 {
			continue
		}
		id := string(c.Leaf.Raw)
		p := k.stapler.plans[id]
		if !now.Before(p.at) {
			answer, err := k.stapler.ask(ctx, c.Leaf, issuer)
			if p = p.next(now, answer); err != nil {
				k.log.Warn("the state of a certificate of ours is not known (OCSP)", "names", c.Leaf.DNSNames, "err", err, "again", p.at)
			} else {
				k.staple(c, answer)
			}
		}
		known[id] = p
	}
	k.stapler.plans = known
}

// next plans when to ask again: half-way to the end of an answer, or after a rest if there is none.
func (p plan) next(now time.Time, answer *ocsp.Response) plan {
	if answer == nil {
		rest := min(max(2*p.rest, firstRest), longestRest)
		return plan{now.Add(rest), rest}
	}
	return plan{at: now.Add(max(endOf(answer).Sub(now)/2, time.Second))}
}

// endOf is when an answer is not good any more.
func endOf(answer *ocsp.Response) time.Time {
	if answer.NextUpdate.IsZero() {
		return answer.ThisUpdate.Add(unlimited)
	}
	return answer.NextUpdate
}

// staple has a certificate shown with an answer from now on, unless its files have changed meanwhile.
func (k *Keyring) staple(c *key, answer *ocsp.Response) {
	k.looking.Lock()
	defer k.looking.Unlock()
	all := slices.Clone(k.current.Load().all)
	i := slices.Index(all, c)
	if i < 0 {
		return
	}
	shown, stapled := *c.Certificate, *c
	shown.OCSPStaple = answer.Raw
	stapled.Certificate, stapled.until = &shown, endOf(answer)
	all[i] = &stapled
	k.current.Store(newKeys(all))
}

// ask asks the servers that a certificate names, one after the other (RFC 6960 appendix A). The answer is that it is good.
func (s *stapler) ask(ctx context.Context, c, issuer *x509.Certificate) (answer *ocsp.Response, err error) {
	question, err := ocsp.CreateRequest(c, issuer, nil)
	if err != nil {
		return nil, err
	}
	for _, url := range c.OCSPServer {
		if answer, err = s.askAt(ctx, url, question, c, issuer); err == nil {
			return answer, nil
		}
	}
	return nil, err
}

func (s *stapler) askAt(ctx context.Context, url string, question []byte, c, issuer *x509.Certificate) (*ocsp.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/ocsp-request")
	got, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, got.Status)
	}
	body, err := io.ReadAll(io.LimitReader(got.Body, maxOCSP))
	if err != nil {
		return nil, err
	}
	answer, err := ocsp.ParseResponseForCert(body, c, issuer)
	now := time.Now()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", url, err)
	case answer.Status != ocsp.Good:
		return nil, fmt.Errorf("%s: it says that the certificate is revoked, or that it does not know it", url)
	case now.Before(answer.ThisUpdate.Add(-skew)) || !now.Before(endOf(answer)):
		return nil, fmt.Errorf("%s: its answer is not good now", url)
	}
	return answer, nil
}

// skew is by how much the clock of a server may be ahead.
const skew = 5 * time.Minute
