package gateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/manifoldmq/manifold/"

// rooms are the rooms of the house and the floor of each. A package belongs to the room with the longest path that is
// its own path or a folder above it.
var rooms = map[string]int{
	"cmd/manifold":     6,
	"deploy":           6,
	"gateway":          5,
	"adapters/amqp":    4,
	"adapters/mqtt":    4,
	"adapters/stomp":   4,
	"adapters/http":    4,
	"adapters/coap":    4,
	"router/network":   4,
	"broker":           3,
	"router/transport": 3,
	"router/wire":      3,
	"router":           2,
	"tenancy":          1,
	"router/amqp":      1,
	"addressing":       0,
	"configs":          0,
}

// forbidden are rules beyond the order of the floors.
var forbidden = []struct{ room, imports, reason string }{
	{"router/transport", "router", "the transport drives bytes and knows no messages"},
}

// pure are the packages that decide and do nothing else: values and time in, values out.
var pure = []string{"addressing", "router/amqp", "broker/internal/queue", "adapters/mqtt/internal/session",
	"adapters/mqtt/rewrite",
	"adapters/stomp/internal/session", "adapters/coap/internal/block", "adapters/coap/internal/datagram",
	"adapters/coap/internal/option", "adapters/coap/internal/stream", "router/network/internal"}

// impure are the imports that a pure package has no use for: goroutines, I/O and logging belong to its owner.
var impure = []string{"context", "log", "net", "os", "sync", "syscall", "io/ioutil"}

// clocks are what package time offers beyond values: time enters a pure package as a parameter.
var clocks = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// goPackage is what go list says about one package.
type goPackage struct {
	ImportPath string
	Dir        string
	Standard   bool
	GoFiles    []string
	Imports    []string
}

func TestLowerFloorNeverImportsHigherOne(t *testing.T) {
	for _, p := range listHouse(t) {
		path := inHouse(p.ImportPath)
		if roomOf(path) == "" {
			t.Errorf("%s is in no room: add it to rooms, and say in docs/decisions why there is a new one", path)
			continue
		}
		for _, imported := range p.Imports {
			if why := offence(path, imported); why != "" {
				t.Errorf("%s imports %s: %s", path, inHouse(imported), why)
			}
		}
	}
}

func TestPurePackagesHaveNoGoroutinesClockOrIO(t *testing.T) {
	for _, p := range listHouse(t) {
		path := inHouse(p.ImportPath)
		if !slices.ContainsFunc(pure, func(room string) bool { return isWithin(path, room) }) {
			continue
		}
		for _, imported := range p.Imports {
			if slices.ContainsFunc(impure, func(banned string) bool { return isWithin(imported, banned) }) {
				t.Errorf("%s imports %s: it is pure, so goroutines, I/O and logging belong to its owner", path, imported)
			}
		}
		for _, use := range clockUses(t, p) {
			t.Errorf("%s: %s is pure, so time enters it as a parameter", use, path)
		}
	}
}

func TestAddressingNeedsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range listDeps(t, module+"addressing") {
		if !p.Standard && p.ImportPath != module+"addressing" {
			t.Errorf("addressing depends on %s: every room imports it, so it imports the standard library only",
				inHouse(p.ImportPath))
		}
	}
}

// offence says why a package of the house must not import another; it is empty when it may.
func offence(path, imported string) string {
	if !strings.HasPrefix(imported, module) {
		return ""
	}
	from, to := roomOf(path), roomOf(inHouse(imported))
	for _, rule := range forbidden {
		if rule.room == from && rule.imports == to {
			return rule.reason
		}
	}
	switch {
	case from == to:
		return ""
	case rooms[to] > rooms[from]:
		return fmt.Sprintf("floor %d never imports floor %d, so that the lower can be understood without the higher",
			rooms[from], rooms[to])
	case rooms[to] == rooms[from]:
		return fmt.Sprintf("rooms of one floor (%d) do not know each other, so that each can change alone", rooms[to])
	case strings.HasPrefix(from, "adapters/") && to == "broker":
		return "adapters reach what is stored through the router, so that direct and stored addresses are alike"
	}
	return ""
}

// roomOf gives the room of a package, or nothing.
func roomOf(path string) string {
	room := ""
	for candidate := range rooms {
		if isWithin(path, candidate) && len(candidate) > len(room) {
			room = candidate
		}
	}
	return room
}

func isWithin(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func inHouse(path string) string { return strings.TrimPrefix(path, module) }

// clockUses gives the places where a package asks a clock or waits.
func clockUses(t *testing.T, p goPackage) (uses []string) {
	files := token.NewFileSet()
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		local := localName(file, "time")
		ast.Inspect(file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok && x.Name == local && slices.Contains(clocks, selector.Sel.Name) {
				at := files.Position(selector.Pos())
				uses = append(uses, fmt.Sprintf("%s:%d uses time.%s", name, at.Line, selector.Sel.Name))
			}
			return true
		})
	}
	return uses
}

// localName gives the name by which a file calls a package of the standard library.
func localName(file *ast.File, path string) string {
	for _, spec := range file.Imports {
		if spec.Path.Value == strconv.Quote(path) && spec.Name != nil {
			return spec.Name.Name
		}
	}
	return path
}

// listHouse lists all packages of this module.
func listHouse(t *testing.T) []goPackage {
	t.Helper()
	return goList(t, module+"...")
}

// listDeps lists a package and all it depends on.
func listDeps(t *testing.T, path string) []goPackage {
	t.Helper()
	return goList(t, "-deps", path)
}

func goList(t *testing.T, args ...string) (packages []goPackage) {
	t.Helper()
	args = append([]string{"list", "-e", "-json=ImportPath,Dir,Standard,GoFiles,Imports"}, args...)
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
