package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/transport/transporttest"
)

// TestStatements plays the scripts of testdata/statements, which are written as TestConversations has it; "connected" as
// the first line stands for how a client of MQTT 5 has been let in. Each conversation stands below the normative statements
// of MQTT 5 that it claims, and is a test of their names; docs/mqtt-conformance.md lists them all.
func TestStatements(t *testing.T) {
	files, err := filepath.Glob("testdata/statements/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, chapters, _ := strings.Cut(string(text), "\n## ")
		got := head
		for chapter := range strings.SplitSeq(chapters, "\n## ") {
			title, script, _ := strings.Cut(chapter, "\n")
			t.Run(strings.Join(statements(title), " "), func(t *testing.T) {
				played := strings.TrimSuffix(converse(t, script+"\n"), "\n")
				got += "\n## " + title + "\n" + played
				if !transporttest.Updating() && played != script {
					t.Errorf("%s: the conversation differs; with -update it would become:\n%s", title, played)
				}
			})
		}
		if transporttest.Updating() {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// converse is transporttest.Play for a script that may begin with "connected".
func converse(t *testing.T, script string) string {
	const connect = "recv CONNECT version=5 client=a clean\ndo accept\n"
	rest, connected := strings.CutPrefix(script, "connected\n")
	if !connected {
		return transporttest.Play(newConversation(t), script)
	}
	begun := transporttest.Play(newConversation(t), connect)
	return "connected\n" + strings.TrimPrefix(transporttest.Play(newConversation(t), connect+rest), begun)
}

// statements are the ids at the beginning of a title.
func statements(title string) (ids []string) {
	for word := range strings.FieldsSeq(title) {
		if !strings.HasPrefix(word, "MQTT") {
			break
		}
		ids = append(ids, word)
	}
	return ids
}
