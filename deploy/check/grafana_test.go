package check

import (
	"encoding/json"
	"regexp"
	"testing"
)

// panel is the part of a panel of the dashboard that tests are about.
type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ RefID, Expr string }
}

// variable is how an expression of the dashboard names one.
var variable = regexp.MustCompile(`\$\w+`)

// board is the dashboard.
type board struct {
	UID        string
	Panels     []panel
	Templating struct {
		List []struct{ Name string }
	}
}

func dashboard(t *testing.T) (d board) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "grafana", "manifold.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboardIsWhole: panels have their own numbers and titles, stand beside each other in 24 columns, and use variables
// that there are.
func TestDashboardIsWhole(t *testing.T) {
	d := dashboard(t)
	known := map[string]bool{"$__rate_interval": true}
	for _, v := range d.Templating.List {
		known["$"+v.Name] = true
	}
	ids := make(map[int]bool)
	var rows int
	taken := make(map[[2]int]string)
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q has the number of another, or no title", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if taken[[2]int{x, y}] != "" || x >= 24 {
					t.Fatalf("%q lies over %q, or beside the page", p.Title, taken[[2]int{x, y}])
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows++
			continue
		}
		if len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, name := range variable.FindAllString(target.Expr, -1) {
				if !known[name] {
					t.Errorf("%q has the variable %s, which there is not: %s", p.Title, name, target.Expr)
				}
			}
		}
	}
	if rows < 5 {
		t.Errorf("there are %d rows", rows)
	}
}
