package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/spf13/cobra"
)

const defaultURL = "amqp://127.0.0.1:5672"

// serverFlags say which server is meant.
type serverFlags struct{ url, authorities string }

func (s *serverFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.url, "url", defaultURL,
		"`URL` of the server: amqp://[user:password@]host[:port], or amqps:// for TLS; an @ in user or password is %40")
	f.StringVar(&s.authorities, "ca", "", "`FILE` with certificates of authorities to trust, instead of the system's")
}

// server gives the server that is meant.
func (s *serverFlags) server() (server, error) {
	where, err := parseServer(s.url)
	if err != nil || s.authorities == "" {
		return where, err
	}
	if where.url.Scheme != "amqps" {
		return server{}, errors.New("--ca is for amqps:// only")
	}
	where.authorities, err = readAuthorities(s.authorities)
	return where, err
}

// readAuthorities reads the certificates in a file, in the form PEM.
func readAuthorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in the form PEM", file)
	}
	return pool, nil
}

// server is where a command connects to.
type server struct {
	url         *url.URL
	name        string         // host and port, for people to read
	tenant      string         // that the server is told; empty leaves it to the host's name
	authorities *x509.CertPool // nil for those of the system
}

// parseServer reads the flag --url. Its errors do not repeat the text, which may contain a password.
func parseServer(text string) (server, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return server{}, errors.New("--url does not look like amqp://[user:password@]host:port")
	}
	port := u.Port()
	switch u.Scheme {
	case "amqp":
		port = orElse(port, "5672")
	case "amqps":
		port = orElse(port, "5671")
	default:
		return server{}, errors.New("--url starts with neither amqp:// nor amqps://")
	}
	return server{url: u, name: net.JoinHostPort(u.Hostname(), port)}, nil
}

func orElse(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// open connects and begins a session, within the time given. The caller closes the connection.
func (s server) open(ctx context.Context, patience time.Duration) (*amqp.Conn, *amqp.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	options := amqp.ConnOptions{
		HostName:  s.tenant,
		TLSConfig: &tls.Config{RootCAs: s.authorities, ServerName: s.url.Hostname()}, // used for amqps:// only
	}
	if s.url.User == nil {
		options.SASLType = amqp.SASLTypeAnonymous()
	}
	conn, err := amqp.Dial(ctx, s.url.String(), &options)
	if err != nil {
		return nil, nil, s.connectFault(err, patience)
	}
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		conn.Close()
		return nil, nil, s.connectFault(err, patience)
	}
	return conn, session, nil
}
