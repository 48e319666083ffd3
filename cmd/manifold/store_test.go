package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/broker"
)

// TestStoreIsExportedImportedCheckedAndCounted goes all the way over folders of the operating system.
func TestStoreIsExportedImportedCheckedAndCounted(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	b, err := broker.Open(broker.Options{Dir: from})
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	if code := execute(t.Context(), []string{"store", "stats", "--data", from}, &output, &output); code != exitFailed ||
		!strings.Contains(output.String(), "in use by another process") {
		t.Errorf("while a broker has the folder: %d, %s", code, output.String())
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	var exported bytes.Buffer
	if code := execute(t.Context(), []string{"store", "export", "--data", from}, &exported, &output); code != exitOK {
		t.Fatalf("export: %d, %s", code, output.String())
	}
	root := newRootCommand()
	root.SetArgs([]string{"store", "import", "--data", to})
	root.SetIn(&exported)
	root.SetErr(&output)
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"check":  "ok, ",
		"stats":  "closed properly true",
		"import": "is there: import makes a new folder",
	} {
		output.Reset()
		execute(t.Context(), []string{"store", command, "--data", to}, &output, &output)
		if !strings.Contains(output.String(), want) {
			t.Errorf("%s says %s", command, output.String())
		}
	}
}

func TestStoreOfNothingIsAFailure(t *testing.T) {
	var output bytes.Buffer
	none := filepath.Join(t.TempDir(), "none")
	if code := execute(t.Context(), []string{"store", "check", "--data", none}, &output, &output); code != exitFailed {
		t.Errorf("%d, %s", code, output.String())
	}
}
