package check

import (
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// binary is the manifold that the files are for.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if lacking := provide(); len(lacking) > 0 {
		log.Printf("missing: %s", strings.Join(lacking, ", "))
		return 1
	}
	folder, err := os.MkdirTemp("", "manifold-deploy")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "manifold")
	build := exec.Command("go", "-C", filepath.Join("..", ".."), "build", "-o", binary, "./cmd/manifold")
	if out, err := build.CombinedOutput(); err != nil {
		log.Printf("build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// packages are the Debian packages that have the programs.
var packages = map[string]string{
	"promtool": "prometheus", "prometheus": "prometheus", "systemd-analyze": "systemd", "systemd-sysusers": "systemd",
}

// provide installs the programs that are missing, if it can, and names those that are missing still.
func provide() (lacking []string) {
	for program, name := range packages {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		install := exec.Command("apt-get", "install", "-y", "--no-install-recommends", name)
		if out, err := install.CombinedOutput(); err != nil {
			log.Printf("apt-get install %s: %v\n%s", name, err, out)
		}
		if _, err := exec.LookPath(program); err != nil {
			lacking = append(lacking, program)
		}
	}
	return lacking
}

// output runs a program, which has to end well, and gives what it said.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// write makes a file in a folder of the test.
func write(t *testing.T, name, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// read gives the text of a file of deploy.
func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
