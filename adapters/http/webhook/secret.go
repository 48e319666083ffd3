package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Secret is a key that requests are signed with, as Standard Webhooks writes it: "whsec_" and base64 of 24 to 64 bytes
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme").
type Secret struct{ key string }

const (
	secretPrefix = "whsec_"
	minSecret    = 24 // bytes
	maxSecret    = 64
)

var errSecret = errors.New("not a secret of the form whsec_ and 24 to 64 bytes in base64; " +
	"`openssl rand -base64 32` makes what follows whsec_")

// UnmarshalText reads a secret. The error does not show it.
func (s *Secret) UnmarshalText(text []byte) error {
	encoded, ok := strings.CutPrefix(string(text), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
		return errSecret
	}
	s.key = string(key)
	return nil
}

// String tells only whether there is one.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return "(secret)"
}

// Reveal gives the secret as UnmarshalText reads it. It is for where secrets are kept.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return secretPrefix + base64.StdEncoding.EncodeToString([]byte(s.key))
}

// IsZero tells that there is none.
func (s Secret) IsZero() bool { return s.key == "" }

// ReadSecrets reads a file of secrets, one in a line. While a secret is replaced there are two: both sign.
func ReadSecrets(file string) ([]Secret, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []Secret
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var s Secret
		if err := s.UnmarshalText([]byte(line)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: it has no secret", file)
	}
	return all, nil
}

// The headers of Standard Webhooks, in the canonical spelling of net/http.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// sign gives the value of the signature header: for each secret the version and the HMAC-SHA256 of id, time and body with dots
// between.
func sign(secrets []Secret, id string, at time.Time, body []byte) string {
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		mac := hmac.New(sha256.New, []byte(s.key))
		mac.Write([]byte(id + "." + formatTime(at) + "."))
		mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}

// formatTime writes a time as Standard Webhooks does: in Unix seconds.
func formatTime(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
