package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/transport"
)

// keyring is the gateway's certificate and the authorities of its clients, as their files have them. A handshake looks
// whether the files have changed, if nobody has for a while; connections that exist are not affected.
type keyring struct {
	settings config.TLS
	log      *slog.Logger

	mu      sync.Mutex // guards everything below; a leaf
	current *tls.Config
	stamps  []stamp   // of the files, as last looked at
	looked  time.Time // when that was
}

// stamp tells one version of a file from another.
type stamp struct {
	changed time.Time
	size    int64
}

// lookAgain is how long the files are taken to be unchanged.
const lookAgain = time.Second

// openKeyring reads the files; nil is for a gateway without TLS.
func openKeyring(c config.TLS, log *slog.Logger) (*keyring, error) {
	if !c.Enabled() {
		return nil, nil
	}
	k := &keyring{settings: c, log: log, looked: time.Now()}
	k.stamps = k.look()
	var err error
	k.current, err = k.read()
	return k, err
}

// config is what a door shakes hands by. protocols are those of ALPN that it knows (RFC 7301). A client that offers none
// of them is served all the same: many have names of their own for what they speak.
func (k *keyring) config(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: k.settings.LowestVersion(),
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			c := k.now(time.Now()).Clone()
			for _, p := range protocols {
				if slices.Contains(hello.SupportedProtos, p) {
					c.NextProtos = append(c.NextProtos, p)
				}
			}
			return c, nil
		},
	}
}

// now gives what the files say. While they make no sense it is what they said before.
func (k *keyring) now(now time.Time) *tls.Config {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.looked) < lookAgain {
		return k.current
	}
	k.looked = now
	if stamps := k.look(); !slices.Equal(stamps, k.stamps) {
		k.stamps = stamps
		if fresh, err := k.read(); err != nil {
			k.log.Error("the changed TLS files are not used", "err", err)
		} else {
			k.current = fresh
			k.log.Info("TLS files read again")
		}
	}
	return k.current
}

// look gives the stamps of the files. One that cannot be looked at has none.
func (k *keyring) look() []stamp {
	var stamps []stamp
	for _, file := range []string{k.settings.Certificate, k.settings.Key, k.settings.ClientCA} {
		var s stamp
		if info, err := os.Stat(file); err == nil {
			s = stamp{info.ModTime(), info.Size()}
		}
		stamps = append(stamps, s)
	}
	return stamps
}

func (k *keyring) read() (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(k.settings.Certificate, k.settings.Key)
	if err != nil {
		return nil, fmt.Errorf("tls.certificate and tls.key: %w", err)
	}
	c := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   k.settings.ClientAuthType(),
		MinVersion:   k.settings.LowestVersion(),
	}
	if k.settings.ClientCA == "" {
		return c, nil
	}
	text, err := os.ReadFile(k.settings.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls.clientCA: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls.clientCA: %s has no certificate in the form PEM", k.settings.ClientCA)
	}
	return c, nil
}

// shaking serves connections that have shaken hands within a time limit.
func (k *keyring) shaking(
	protocol string, limit time.Duration, serve func(context.Context, net.Conn), log *slog.Logger,
) func(context.Context, net.Listener) error {
	settings := k.config(protocol)
	return func(ctx context.Context, ln net.Listener) error {
		return transport.Accept(ctx, ln, func(ctx context.Context, nc net.Conn) {
			secured := tls.Server(nc, settings)
			if err := shake(ctx, secured, limit); err != nil {
				log.Debug("TLS handshake failed", "peer", nc.RemoteAddr(), "err", err)
				nc.Close()
				return
			}
			serve(ctx, secured)
		})
	}
}

var errHandshakeTimeout = errors.New("the client took too long")

func shake(ctx context.Context, secured *tls.Conn, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errHandshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	return nil
}
