package client

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/Azure/go-amqp"
)

const defaultURL = "amqp://127.0.0.1:5672"

const urlUsage = "`URL` of the server: amqp://[user:password@]host[:port], or amqps:// for TLS"

// server is where a command connects to.
type server struct {
	url  *url.URL
	name string // host and port, for people to read
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
	var options amqp.ConnOptions
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
