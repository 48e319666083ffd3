package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// foundBare builds the HTTP server that discards, if a scenario asks for it.
func foundBare(ctx context.Context, o options, dir string) server {
	s := server{name: bareServer, configure: configureBare, versionAt: func(string) string { return runtime.Version() },
		note: "deploy/bench/bare: a handler that reads the body, throws it away and answers 204, on Go's server with the HTTP/2 " +
			"library and the limits of Manifold's HTTP door; h2load puts the load on both"}
	if !o.needs(bareServer) {
		return s
	}
	if _, s.absent = exec.LookPath("h2load"); s.absent != nil {
		return s
	}
	s.binary = filepath.Join(dir, "bare")
	build := exec.CommandContext(ctx, "go", "build", "-o", s.binary, "./deploy/bench/bare")
	if out, err := build.CombinedOutput(); err != nil {
		s.absent = fmt.Errorf("go build ./deploy/bench/bare: %w: %s", err, out)
	}
	return s
}

func configureBare(dir string) (plan, error) {
	plain, err := freePort()
	if err != nil {
		return plan{}, err
	}
	secure, err := freePort()
	if err != nil {
		return plan{}, err
	}
	certificate, key, err := writeCertificate(dir)
	return plan{
		args:  []string{"-listen", loopback(plain), "-listen-tls", loopback(secure), "-certificate", certificate, "-key", key},
		doors: map[protocol]string{web: loopback(plain), webSecure: loopback(secure)},
	}, err
}

// writeCertificate writes a certificate for loopback, signed by itself, and gives the files of it and its key.
func writeCertificate(dir string) (certificate, key string, err error) {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		return "", "", err
	}
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	return certificate, key, errors.Join(
		os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// foundOverMQTT is Manifold once more, spoken to in MQTT where others speak HTTP.
func foundOverMQTT(binary string) server {
	return server{name: overMQTT, binary: binary, version: []string{"version"}, configure: configureManifold, speaks: mqtt,
		note: "the same as " + ours + ", with subscribers over MQTT 3.1.1 and QoS 0"}
}
