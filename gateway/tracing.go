package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/tracing"
)

// openTraces makes what follows messages; nil if nobody is to be told. end is called when nothing moves any more.
func openTraces(c config.Tracing, log *slog.Logger) (t *tracing.Tracing, end func(), err error) {
	if c.Endpoint == "" {
		return nil, func() {}, nil
	}
	headers, err := readHeaders(c.HeadersFile)
	if err != nil {
		return nil, nil, fmt.Errorf("tracing.headersFile: %w", err)
	}
	t, err = tracing.Open(tracing.Settings{
		Endpoint: c.Endpoint, Headers: headers, Ratio: c.Ratio, MaxRate: c.MaxRate, MaxQueued: c.MaxQueued,
		Interval: c.Interval, Version: version(), Log: log.With("collector", c.Endpoint),
	})
	if err != nil {
		return nil, nil, err
	}
	return t, t.Close, nil
}

// readHeaders reads a file of headers, a line "Name: value" each. There are none without a file.
func readHeaders(file string) (map[string]string, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	headers := make(map[string]string)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%s: a line is not Name: value", file)
		}
		headers[name] = strings.TrimSpace(value)
	}
	return headers, nil
}
