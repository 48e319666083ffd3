//go:build interop

package dtls_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
)

// TestOpenSSLIsServed has the client of OpenSSL say a word that comes back.
func TestOpenSSLIsServed(t *testing.T) {
	a := newAuthority(t)
	curve, big, device := a.issue("server"), a.issueRSA("server"), a.issue("device-8")
	withKey := []string{"-psk", hex.EncodeToString([]byte("secret")), "-psk_identity", "device-7"}
	known := []string{"-verify_return_error", "-CAfile", writePEM(t, "CERTIFICATE", a.certificate.Raw)}
	key, err := x509.MarshalPKCS8PrivateKey(device.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	itself := []string{"-cert", writePEM(t, "CERTIFICATE", device.Certificate[0]), "-key", writePEM(t, "PRIVATE KEY", key)}
	for name, c := range map[string]struct {
		certificate tls.Certificate
		args        []string
		refused     bool
	}{
		"key, CCM 8":                 {curve, slices.Concat(withKey, []string{"-cipher", "PSK-AES128-CCM8"}), false},
		"key, CCM":                   {curve, slices.Concat(withKey, []string{"-cipher", "PSK-AES128-CCM"}), false},
		"key, GCM":                   {curve, slices.Concat(withKey, []string{"-cipher", "PSK-AES128-GCM-SHA256"}), false},
		"key, whatever there is":     {curve, withKey, false},
		"wrong key":                  {curve, []string{"-psk", "00", "-psk_identity", "device-7", "-cipher", "PSK"}, true},
		"ECDSA":                      {curve, known, false},
		"ECDSA, CCM 8":               {curve, append(known, "-cipher", "ECDHE-ECDSA-AES128-CCM8"), false},
		"ECDSA, P-384":               {curve, append(known, "-groups", "P-384:P-256"), false},
		"RSA":                        {big, known, false},
		"RSA, AES-256":               {big, append(known, "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"), false},
		"certificate":                {curve, append(known, itself...), false},
		"certificate in many pieces": {curve, slices.Concat(known, itself, []string{"-mtu", "256"}), false},
		"CBC":                        {curve, append(known, "-cipher", "ECDHE-ECDSA-AES128-SHA"), true},
		"RSA key exchange":           {big, append(known, "-cipher", "AES128-GCM-SHA256"), true},
		"DTLS 1.0":                   {curve, append(known, "-dtls1", "-cipher", "ALL@SECLEVEL=0"), true},
	} {
		t.Run(name, func(t *testing.T) {
			l := listen(t, dtls.Config{PSK: keys, Certificate: serving(c.certificate), ClientCAs: a.pool})
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			args := append([]string{"s_client", "-connect", l.address().String(), "-quiet"}, c.args...)
			if !slices.Contains(args, "-dtls1") {
				args = append(args, "-dtls1_2")
			}
			client := exec.CommandContext(ctx, "openssl", args...)
			said, err := client.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			client.Stderr = &log
			heard, err := client.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			said.Write([]byte("hello\n"))
			p := make([]byte, 100)
			n, _ := heard.Read(p)
			said.Close()
			cancel()
			client.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			if served := string(p[:n]) == "hello\n"; served == c.refused {
				t.Errorf("%q came back; failures %v\n%s", p[:n], l.failures, log.Bytes())
			}
			if hasCertificate := len(l.opened) > 0 && l.opened[0].Peer().Certificates != nil; hasCertificate != slices.Contains(args, "-cert") {
				t.Errorf("the client has a certificate: %v", hasCertificate)
			}
		})
	}
}

// writePEM writes a file for OpenSSL.
func writePEM(t *testing.T, kind string, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
