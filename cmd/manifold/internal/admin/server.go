package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

const (
	defaultServer = "http://127.0.0.1:8081"
	defaultTenant = "default"
)

// server is the gateway that is meant, and who asks it.
type server struct {
	url, tenant       string
	tokenFile, user   string
	password          string // a file
	authorities       string // a file
	patience          time.Duration
	client            *http.Client
	token, userSecret string
}

func (s *server) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.url, "server", orEnv("MANIFOLD_SERVER", defaultServer), "`URL` of the admin API ($MANIFOLD_SERVER)")
	f.StringVar(&s.tenant, "tenant", orEnv("MANIFOLD_TENANT", defaultTenant), "`NAME` of the tenant ($MANIFOLD_TENANT)")
	f.StringVar(&s.tokenFile, "token-file", os.Getenv("MANIFOLD_TOKEN_FILE"),
		"`FILE` with a token ($MANIFOLD_TOKEN_FILE, or the token in $MANIFOLD_TOKEN)")
	f.StringVar(&s.user, "user", os.Getenv("MANIFOLD_USER"), "`NAME` of who runs the gateway, or user@tenant ($MANIFOLD_USER)")
	f.StringVar(&s.password, "password-file", os.Getenv("MANIFOLD_PASSWORD_FILE"),
		"`FILE` with the password ($MANIFOLD_PASSWORD_FILE, or the password in $MANIFOLD_PASSWORD)")
	f.StringVar(&s.authorities, "ca", os.Getenv("MANIFOLD_CA"),
		"`FILE` with certificates of authorities to trust, instead of the system's ($MANIFOLD_CA)")
	f.DurationVar(&s.patience, "timeout", time.Minute, "how long to wait for an answer")
	_ = cmd.RegisterFlagCompletionFunc("tenant", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return s.complete(cmd.Context(), "tenants")
	})
}

func orEnv(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// prepare reads what the flags name. It is for PreRunE: its errors are those of the command line.
func (s *server) prepare(*cobra.Command, []string) (err error) {
	u, err := url.Parse(s.url)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" {
		return errors.New("--server does not look like http://host:port or https://host:port")
	}
	s.url = strings.TrimSuffix(s.url, "/")
	if s.patience <= 0 {
		return fmt.Errorf("--timeout %v is not above 0", s.patience)
	}
	if s.token, err = secretOf(s.tokenFile, "MANIFOLD_TOKEN"); err != nil {
		return err
	}
	if s.userSecret, err = secretOf(s.password, "MANIFOLD_PASSWORD"); err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if s.authorities != "" {
		text, err := os.ReadFile(s.authorities)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s has no certificate in the form PEM", s.authorities)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	s.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return nil
}

// secretOf reads a secret from a file, or else from the environment.
func secretOf(file, name string) (string, error) {
	if file == "" {
		return os.Getenv(name), nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// path puts a path together, whose parts may have any characters.
func path(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/v1/" + strings.Join(parts, "/")
}

// of gives the path of something that the tenant has.
func (s *server) of(parts ...string) string {
	return path(append([]string{"tenants", s.tenant}, parts...)...)
}

// ask has the server do something, and decodes its answer into answer unless that is nil.
func (s *server) ask(ctx context.Context, method, path string, query url.Values, body []byte, answer any) error {
	_, err := s.askFor(ctx, method, path, query, body, answer)
	return err
}

// askFor is ask for who wants the header of the answer too.
func (s *server) askFor(
	ctx context.Context, method, path string, query url.Values, body []byte, answer any,
) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	where := s.url + path
	if len(query) > 0 {
		where += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	s.sign(r)
	response, err := s.client.Do(r)
	if err != nil {
		return nil, s.fault(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, s.fault(err)
	case response.StatusCode >= 300:
		return nil, problemOf(response, text)
	case answer == nil || len(text) == 0:
		return response.Header, nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, fmt.Errorf("%s is no admin API of Manifold: %w", s.url, err)
	}
	return response.Header, nil
}

// sign says who asks.
func (s *server) sign(r *http.Request) {
	r.Header.Set("Content-Type", "application/json")
	switch {
	case s.token != "":
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Manifold-Tenant", s.tenant)
	case s.user != "":
		r.SetBasicAuth(s.user, s.userSecret)
	}
}

// fault says why there is no answer.
func (s *server) fault(err error) error {
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound {
		return fmt.Errorf("no host is called %q", unknown.Name)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%s shows a certificate that is not trusted; --ca names a file with its authority", s.url)
	}
	if timed, ok := errors.AsType[net.Error](err); ok && timed.Timeout() {
		return fmt.Errorf("%s has not answered within %v", s.url, s.patience)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens at %s (connection refused); --server or $MANIFOLD_SERVER names another one", s.url)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", s.url, err)
}

// problem is an answer that something could not be done (RFC 9457).
type problem struct {
	Status int
	Detail string
	Errors []fieldProblem
}

type fieldProblem struct{ Message, Location string }

func problemOf(response *http.Response, text []byte) error {
	p := &problem{Status: response.StatusCode}
	if json.Unmarshal(text, p) != nil || p.Detail == "" {
		p.Detail = "the server answers " + response.Status
	}
	return p
}

// Error shows each field that is wrong on a line of its own.
func (p *problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	var b strings.Builder
	for i, e := range p.Errors {
		if i > 0 {
			b.WriteByte('\n')
		}
		if at := e.path(); at != "" {
			b.WriteString(at + ": ")
		}
		b.WriteString(e.Message)
	}
	return b.String()
}

// path gives the setting that is wrong.
func (e *fieldProblem) path() string {
	_, at, _ := strings.Cut(e.Location, ".")
	return at
}

// pages asks for all pages of a list and gives its items, at most so many; 0 is all of them.
func (s *server) pages(ctx context.Context, path string, query url.Values, most int) (items []json.RawMessage, more bool, err error) {
	if query == nil {
		query = make(url.Values)
	}
	query.Set("limit", "1000")
	for {
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		if err := s.ask(ctx, http.MethodGet, path, query, nil, &page); err != nil {
			return nil, false, err
		}
		items = append(items, page.Items...)
		if most > 0 && len(items) >= most {
			return items[:most], page.Next != "" || len(items) > most, nil
		}
		if page.Next == "" {
			return items, false, nil
		}
		query.Set("after", page.Next)
	}
}
