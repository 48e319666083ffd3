//go:build interop

package interop

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// systemTests are how many tests of a file of the system tests of the Qpid Dispatch Router pass, of how many.
type systemTests struct {
	file                 string // without the system_tests_ before it
	least, passed, total int    // least is below passed where chance decides
}

// documentedSystemTests reads the table of docs/network.md: it is what this test holds the gateway to.
func documentedSystemTests(t *testing.T) (all []systemTests) {
	t.Helper()
	text, err := os.ReadFile("../../docs/network.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `system_tests_(\\w+)` \\| (?:(\\d+) or )?(\\d+) / (\\d+) \\|")
	for _, cells := range row.FindAllStringSubmatch(string(text), -1) {
		least, _ := strconv.Atoi(cmp.Or(cells[2], cells[3]))
		passed, _ := strconv.Atoi(cells[3])
		total, _ := strconv.Atoi(cells[4])
		all = append(all, systemTests{cells[1], least, passed, total})
	}
	if len(all) == 0 {
		t.Fatal("docs/network.md has no table of system tests")
	}
	return all
}

// systemTestTime is how long the tests of a file may take. Each takes less than three minutes where nothing else runs.
const systemTestTime = 8 * time.Minute

// TestQpidSystemTests runs the router's own tests, as they are, with manifold in the place of qdrouterd: as many pass as
// docs/network.md says, neither more nor less.
func TestQpidSystemTests(t *testing.T) {
	newQpidTools(t) // or they are not there
	for _, documented := range documentedSystemTests(t) {
		t.Run(documented.file, func(t *testing.T) {
			t.Parallel() // each has a network of its own, and waits most of the time
			passed, total, output := runSystemTests(t, documented.file)
			t.Logf("system_tests_%s: passed %d of %d", documented.file, passed, total)
			if passed < documented.least || passed > documented.passed || total != documented.total {
				t.Errorf("docs/network.md says %d or %d of %d\n%s", documented.least, documented.passed, documented.total, output)
			}
		})
	}
}

// runSystemTests runs a file in a network of its own, where no port is taken. One that does not end in time fails, with what had
// passed by then.
func runSystemTests(t *testing.T, file string) (passed, total int, output string) {
	t.Helper()
	sources, folder := os.Getenv(qpidDispatch), t.TempDir()
	programs := filepath.Join(folder, "bin")
	build := filepath.Join(folder, "build")
	for _, made := range []string{programs, filepath.Join(build, "router")} {
		if err := os.MkdirAll(made, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(binary, filepath.Join(made, "qdrouterd")); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []string{"qdstat", "qdmanage"} {
		script := fmt.Sprintf("#!/bin/sh\nexec %s '%s' \"$@\"\n", debianPython, filepath.Join(sources, "tools", tool))
		if err := os.WriteFile(filepath.Join(programs, tool), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	runner, err := filepath.Abs("testdata/system_tests.py")
	if err != nil {
		t.Fatal(err)
	}
	python := strings.Join([]string{newQpidTools(t).modules, filepath.Join(sources, "python"), filepath.Join(sources, "tests")}, ":")
	process := exec.CommandContext(t.Context(), "unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-c", `ip link set lo up && exec "$@"`, "sh", debianPython, runner,
		"system_tests_"+file, strconv.Itoa(int(systemTestTime.Seconds())))
	process.Dir = folder
	process.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "PYTHONPATH="+python, "PYTHONDONTWRITEBYTECODE=1",
		"BUILD_DIR="+build, "SOURCE_DIR="+sources, "QPID_DISPATCH_HOME="+sources, "QPID_SYSTEM_TEST_TIMEOUT=60")
	said, err := process.CombinedOutput()
	counts := regexp.MustCompile(`(?m)^passed (\d+) of (\d+)$`).FindSubmatch(said)
	if err != nil || counts == nil {
		t.Fatalf("system_tests_%s: %v\n%s", file, err, said)
	}
	passed, _ = strconv.Atoi(string(counts[1]))
	total, _ = strconv.Atoi(string(counts[2]))
	return passed, total, string(said)
}
