package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/Azure/go-amqp"
)

// connectFault says why there is no connection.
func (s server) connectFault(err error, patience time.Duration) error {
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return fmt.Errorf("no host is called %q", s.url.Hostname())
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%s shows a certificate that is not trusted; --ca names a file with its authority: %s",
			s.name, describe(err))
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("%s does not speak TLS: amqps:// may be wrong", s.name)
	}
	if timed, ok := errors.AsType[net.Error](err); ok && timed.Timeout() {
		return fmt.Errorf("%s has not answered within %v", s.name, patience)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens at %s (connection refused)", s.name)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%s hung up: it may not speak AMQP 1.0", s.name)
	case strings.Contains(err.Error(), "auth failed"):
		return fmt.Errorf("%s refuses this user name and password", s.name)
	case strings.Contains(err.Error(), "no supported auth mechanism"):
		return fmt.Errorf("%s does not let this client in; --url amqp://user:password@host:port names a user", s.name)
	default:
		return fmt.Errorf("connect to %s: %s", s.name, describe(err))
	}
}

// linkFault says why there is no link with an address, or no more.
func (s server) linkFault(err error, address string, patience time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %s has not answered within %v", address, s.name, patience)
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if _, ok := errors.AsType[*amqp.ConnError](err); ok {
		return fmt.Errorf("%s: the connection to %s ended: %s", address, s.name, describe(err))
	}
	return fmt.Errorf("%s: refused: %s", address, describe(err))
}

// describe gives the condition and the description that came over the wire, or what err says itself.
func describe(err error) string {
	if remote, ok := errors.AsType[*amqp.Error](err); ok {
		return describeRemote(remote)
	}
	return strings.TrimPrefix(err.Error(), "amqp: ")
}

func describeRemote(e *amqp.Error) string {
	switch {
	case e == nil:
		return "no reason was given"
	case e.Description == "":
		return string(e.Condition)
	default:
		return string(e.Condition) + ": " + e.Description
	}
}
