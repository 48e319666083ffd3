package gatewaytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Issuer is a provider of OpenID Connect as far as one is needed that gives out tokens: it tells about itself and its keys.
type Issuer struct {
	URL string

	t     testing.TB
	mu    sync.Mutex // guards everything below
	key   *ecdsa.PrivateKey
	keyID string
	down  bool
	asked int
}

// NewIssuer starts an issuer that ends with the test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{t: t}
	i.Rotate("first")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.answer(func() any {
		return map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
	}))
	mux.HandleFunc("GET /keys", i.answer(func() any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: i.keyID, Algorithm: "ES256", Use: "sig"}}}
	}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

func (i *Issuer) answer(what func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked++
		if i.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(what())
	}
}

// Rotate has the issuer sign with a new key from now on, and forget the one it had.
func (i *Issuer) Rotate(keyID string) {
	i.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key, i.keyID = key, keyID
}

// Down has the issuer answer nothing of use, or answer again.
func (i *Issuer) Down(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

// Asked is how often the issuer was asked for anything.
func (i *Issuer) Asked() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

// Token gives a token with claims. Where they do not say otherwise it is this issuer's and good for an hour.
func (i *Issuer) Token(claims map[string]any) string {
	i.t.Helper()
	return i.TokenWith(claims, nil)
}

// TokenWith is Token with more in its header.
func (i *Issuer) TokenWith(claims map[string]any, options *jose.SignerOptions) string {
	i.t.Helper()
	all := map[string]any{"iss": i.URL, "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	payload, err := json.Marshal(all)
	if err != nil {
		i.t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return Sign(i.t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: i.keyID}}, options, payload)
}

// Sign gives a token with any payload, signed with any key.
func Sign(t testing.TB, key jose.SigningKey, options *jose.SignerOptions, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
