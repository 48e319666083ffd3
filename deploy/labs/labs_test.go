package labs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLabsSucceed runs each lab with the program as users build it.
func TestLabsSucceed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "manifold")
	compile := exec.Command("go", "build", "-trimpath", "-o", program, "github.com/manifoldmq/manifold/cmd/manifold")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, lab := range []string{"three-routers", "redundant-path"} {
		t.Run(lab, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // of a machine with much else to do
			defer cancel()
			script := exec.CommandContext(ctx, "./"+lab+".sh")
			script.Env = append(os.Environ(), "MANIFOLD="+program, "BROKER=")
			script.Cancel = func() error { return script.Process.Signal(os.Interrupt) } // it ends what it has started
			script.WaitDelay = 10 * time.Second
			out, err := script.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), "The lab has succeeded.\n") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
