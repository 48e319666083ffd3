package check

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// unit is what is installed, with the binary of the test in place of the installed one.
func unit(t *testing.T) (file string) {
	t.Helper()
	text := strings.ReplaceAll(read(t, "systemd", "manifold.service"), "/usr/local/bin/manifold", binary)
	return write(t, "manifold.service", text)
}

// TestSystemdTakesTheUnit without a word about it.
func TestSystemdTakesTheUnit(t *testing.T) {
	if said := output(t, "systemd-analyze", "verify", "--man=no", unit(t)); said != "" {
		t.Errorf("it says %s", said)
	}
}

// TestUnitIsHardened: its exposure, of which 10 is the worst, is below 3, and docs/operations.md explains what is left of it.
func TestUnitIsHardened(t *testing.T) {
	report := output(t, "systemd-analyze", "security", "--offline=true", "--no-pager", unit(t))
	overall := regexp.MustCompile(`Overall exposure level for manifold.service: (\d+\.\d+)`).FindStringSubmatch(report)
	if overall == nil {
		t.Fatalf("no exposure in\n%s", report)
	}
	t.Logf("the exposure is %s", overall[1])
	if level, err := strconv.ParseFloat(overall[1], 64); err != nil || level >= 3 {
		t.Errorf("the exposure is %s", overall[1])
	}
	handbook := read(t, "..", "docs", "operations.md")
	for _, point := range regexp.MustCompile(`(?m)^✗ (\S+)`).FindAllStringSubmatch(report, -1) {
		cell := "| `" + strings.ReplaceAll(point[1], "|", `\|`) + "` |"
		if !strings.Contains(handbook, cell) {
			t.Errorf("docs/operations.md does not say why %s is left", point[1])
		}
	}
}

// TestSystemdMakesTheUser that the unit names.
func TestSystemdMakesTheUser(t *testing.T) {
	file, err := filepath.Abs(filepath.Join("..", "systemd", "manifold.sysusers"))
	if err != nil {
		t.Fatal(err)
	}
	said := output(t, "systemd-sysusers", "--dry-run", "--root="+t.TempDir(), file)
	if !strings.Contains(said, "Creating user 'manifold'") {
		t.Errorf("it says %s", said)
	}
	for _, line := range []string{"User=manifold", "Group=manifold"} {
		if !strings.Contains(read(t, "systemd", "manifold.service"), "\n"+line+"\n") {
			t.Errorf("the unit has no line %s", line)
		}
	}
}
