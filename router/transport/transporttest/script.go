// Package transporttest plays conversations with protocol engines that are written down as scripts.
//
// A script is a file testdata/*.txt. A line that begins with a word is an input: something that the peer or the owner of
// the engine does, in the notation of the engine's tests. The indented lines below it are what the engine then says.
// Empty lines and those that begin with # are for the reader. go test -update writes the indented lines anew.
package transporttest

import (
	"encoding/hex"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected lines of testdata/*.txt")

// Updating tells whether expectations are written anew.
func Updating() bool { return *update }

// Conversation is an engine with a peer and an owner.
type Conversation interface {
	// Input does what an input line says: its first word, and the rest.
	Input(word, rest string)
	// Take has the engine flush, and gives what it has said since the last call.
	Take() []string
}

// Run plays each script with a conversation of its own and compares what is said with what the script expects.
func Run(t *testing.T, begin func(testing.TB) Conversation) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := Play(begin(t), string(script))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(script) {
				t.Errorf("the conversation differs; with -update the script would become:\n%s", got)
			}
		})
	}
}

// Play gives a script back with its expectations replaced by what happens.
func Play(c Conversation, script string) string {
	var got strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, " ") {
			continue // an expectation, written anew
		}
		got.WriteString(line + "\n")
		word, rest, _ := strings.Cut(line, " ")
		if word == "" || word == "#" {
			continue
		}
		c.Input(word, strings.TrimSpace(rest))
		for _, l := range c.Take() {
			got.WriteString("    " + l + "\n")
		}
	}
	return got.String()
}

// Encode gives the bytes of an input, none of one that is not the peer's.
type Encode func(word, rest string) []byte

// Streams gives, for each script, what the peer sends in it. begin is called for each.
func Streams(t testing.TB, begin func() Encode) (streams [][]byte) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var stream []byte
		encode := begin()
		for line := range strings.Lines(string(script)) {
			if strings.HasPrefix(line, " ") {
				continue
			}
			word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			if word != "" {
				stream = append(stream, encode(word, strings.TrimSpace(rest))...)
			}
		}
		streams = append(streams, stream)
	}
	return streams
}

// Pieces cuts a stream into pieces of cuts[i]+1 bytes, over and over; without cuts it gives all in one piece.
func Pieces(stream, cuts []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := 0; len(stream) > 0; i++ {
			n := len(stream)
			if len(cuts) > 0 {
				n = min(n, int(cuts[i%len(cuts)])+1)
			}
			if !yield(stream[:n]) {
				return
			}
			stream = stream[n:]
		}
	}
}

// Hex gives the bytes of hexadecimal digits, with spaces where a reader wants them.
func Hex(t testing.TB, digits string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
