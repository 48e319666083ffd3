//go:build interop

package soak

import (
	"bytes"
	"fmt"
)

// letter is a message, known by the number that its publisher gave it. A publisher numbers from 0.
type letter struct {
	stream byte // the publisher
	number uint32
}

// text is the payload: the numbers, and a filling whose length follows from them.
func (l letter) text() []byte {
	text := fmt.Appendf(nil, "%d %d ", l.stream, l.number)
	return append(text, bytes.Repeat([]byte{'.'}, int(l.number*37%500))...)
}

// readLetter reverses text. A payload that is not exactly as it was sent is an error.
func readLetter(text []byte) (l letter, err error) {
	if _, err := fmt.Fscan(bytes.NewReader(text), &l.stream, &l.number); err != nil || !bytes.Equal(text, l.text()) {
		return l, fmt.Errorf("%.60q is not what anybody sent", text)
	}
	return l, nil
}
