package management

import "testing"

func TestRolesFitTheModeOfTheRouter(t *testing.T) {
	for _, c := range []struct {
		mode, role string
		listens    bool
		fits       bool
	}{
		{"standalone", "normal", true, true}, {"standalone", "route-container", false, true},
		{"standalone", "edge", false, false}, {"standalone", "inter-router", true, false},
		{"edge", "edge", false, true}, {"edge", "edge", true, false}, {"edge", "inter-router", false, false},
		{"interior", "edge", true, true}, {"interior", "inter-router", false, true},
	} {
		if err := fits(c.mode, c.role, c.listens); (err == nil) != c.fits {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
