package client

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/spf13/cobra"
)

// Connection is how another command gets to a server over AMQP 1.0: by its flags, which say which server, and who asks.
type Connection struct {
	flags        serverFlags
	user         string
	passwordFile string
	tenant       string

	server server
}

// AddFlags adds the flags to a command.
func (c *Connection) AddFlags(cmd *cobra.Command) {
	c.flags.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&c.user, "user", "", "`NAME` of the user, in place of one in --url")
	f.StringVar(&c.passwordFile, "password-file", "", "`FILE` with the password of --user on its first line")
	f.StringVar(&c.tenant, "tenant", "", "`NAME` of the tenant, where neither user nor host says it")
}

// Check reads the flags. Its errors do not repeat a password.
func (c *Connection) Check() (err error) {
	if c.server, err = c.flags.server(); err != nil {
		return err
	}
	c.server.tenant = c.tenant
	switch {
	case c.user == "" && c.passwordFile == "":
		return nil
	case c.user == "" || c.passwordFile == "":
		return errors.New("--user and --password-file go together")
	case c.server.url.User != nil:
		return errors.New("--user and a user in --url exclude each other")
	}
	text, err := os.ReadFile(c.passwordFile)
	if err != nil {
		return err
	}
	password, _, _ := strings.Cut(string(text), "\n")
	name := c.user
	if c.tenant != "" && !strings.Contains(name, "@") {
		name += "@" + c.tenant
	}
	c.server.url.User = url.UserPassword(name, strings.TrimSuffix(password, "\r"))
	return nil
}

// Tenant is the one that is meant; empty when that is left to the server.
func (c *Connection) Tenant() string { return c.tenant }

// Name is the server's host and port.
func (c *Connection) Name() string { return c.server.name }

// Open connects and begins a session, within the time given, after Check. The caller closes the connection.
func (c *Connection) Open(ctx context.Context, patience time.Duration) (*amqp.Conn, *amqp.Session, error) {
	return c.server.open(ctx, patience)
}

// Fault says why there is no link with an address, or no more.
func (c *Connection) Fault(err error, address string, patience time.Duration) error {
	return c.server.linkFault(err, address, patience)
}
