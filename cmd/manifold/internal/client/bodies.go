package client

import (
	"bufio"
	"bytes"
	"context"
	"io"
)

// bodies gives the body of the next message; io.EOF after the last, or the error of ctx if that ends first.
type bodies func(ctx context.Context) ([]byte, error)

// oneBody gives a single body.
func oneBody(body []byte) bodies {
	given := false
	return func(context.Context) ([]byte, error) {
		if given {
			return nil, io.EOF
		}
		given = true
		return body, nil
	}
}

// lineBodies gives one body for each line of r, without the line's end. A read that hangs cannot be interrupted, so
// each has a goroutine; the one that is left when ctx ends goes with the next line, or with the process.
func lineBodies(r io.Reader) bodies {
	type line struct {
		text []byte
		err  error
	}
	buffered := bufio.NewReader(r)
	return func(ctx context.Context) ([]byte, error) {
		read := make(chan line, 1)
		go func() {
			text, err := buffered.ReadBytes('\n')
			if err == io.EOF && len(text) > 0 {
				err = nil // the last line has no end
			}
			read <- line{text, err}
		}()
		select {
		case l := <-read:
			return bytes.TrimSuffix(bytes.TrimSuffix(l.text, []byte("\n")), []byte("\r")), l.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
