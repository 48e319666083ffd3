package gateway

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// httpClient is a client of the HTTP door with connections of its own.
type httpClient struct {
	client http.Client
	door   string // host:port
}

func newHTTPClient(t *testing.T, door string) *httpClient {
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &httpClient{http.Client{Transport: transport}, door}
}

// page is a complete answer.
type page struct {
	code   int
	header http.Header
	body   []byte
}

// ask makes a request and reads the whole answer.
func (c *httpClient) ask(ctx context.Context, method, path string, header http.Header, body []byte) (page, error) {
	answer, err := c.open(ctx, method, path, header, body)
	if err != nil {
		return page{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return page{answer.StatusCode, answer.Header, text}, err
}

func (c *httpClient) open(
	ctx context.Context, method, path string, header http.Header, body []byte,
) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.door+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		request.Header = header
	}
	return c.client.Do(request)
}

// pathOf is the path of an address, level by level.
func pathOf(tenant, address, endpoint string) string {
	levels := strings.Split(address, "/")
	for i := range levels {
		levels[i] = url.PathEscape(levels[i])
	}
	return "/v1/" + tenant + "/" + strings.Join(levels, "/") + "/" + endpoint
}

// events reads an event stream.
type events struct{ lines *bufio.Scanner }

// stream opens an event stream, whose route is live when it returns. It ends with ctx.
func (c *httpClient) stream(ctx context.Context, t *testing.T, path string) *events {
	t.Helper()
	answer, err := c.open(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	e := &events{bufio.NewScanner(answer.Body)}
	if !e.lines.Scan() || e.lines.Text() != ": the route is live" {
		t.Fatalf("%s: status %d, and the stream begins with %q", path, answer.StatusCode, e.lines.Text())
	}
	return e
}

// next gives the data of the next event.
func (e *events) next() ([]byte, error) {
	for e.lines.Scan() {
		if data, ok := strings.CutPrefix(e.lines.Text(), "data: "); ok {
			return []byte(data), nil
		}
	}
	return nil, cmp.Or(e.lines.Err(), io.EOF)
}

// lines opens a stream of lines, whose route is live when it returns, and gives what reads the next one that is not empty.
func (c *httpClient) lines(ctx context.Context, t *testing.T, path string) func() ([]byte, error) {
	t.Helper()
	answer, err := c.open(ctx, http.MethodGet, path, http.Header{"Accept": {"application/x-ndjson"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", path, answer.StatusCode)
	}
	lines := bufio.NewScanner(answer.Body)
	return func() ([]byte, error) {
		for lines.Scan() {
			if len(lines.Bytes()) > 0 {
				return bytes.Clone(lines.Bytes()), nil
			}
		}
		return nil, cmp.Or(lines.Err(), io.EOF)
	}
}
