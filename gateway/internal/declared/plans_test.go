package declared

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

func TestPlansHoldForThoseWhoNameThem(t *testing.T) {
	fs := vfs.NewCrashableMem()
	h := open(t, fs, "plans: [{name: big, maxLinks: 100}]\ntenants: [{name: a, plan: big}, {name: b}]")
	if _, err := h.put(`{"name":"c","plan":"small"}`, false, Terms{}); err == nil {
		t.Error("a plan that nobody declares was named")
	}
	all, err := h.book.PutPlan(config.Plan{Name: "small", Allowed: config.Allowed{MaxLinks: 5}}, Terms{Match: None})
	if err != nil || changes(all) != "/plans/small added maxLinks:>5\n" || len(h.last.Changed) != 0 {
		t.Errorf("got %s, %v, %d tenants", changes(all), err, len(h.last.Changed))
	}
	for _, name := range []string{"c", "d"} {
		if _, err := h.put(`{"name":"`+name+`","plan":"small"}`, false, Terms{}); err != nil {
			t.Fatal(err)
		}
	}
	all, err = h.book.PutPlan(config.Plan{Name: "small", Allowed: config.Allowed{MaxLinks: 7}}, Terms{})
	if err != nil || changes(all) != "/plans/small altered maxLinks:5>7\n" || len(h.last.Changed) != 2 {
		t.Errorf("got %s, %v, %d tenants", changes(all), err, len(h.last.Changed))
	}
	if _, err := h.book.DeletePlan("small", Terms{}); err == nil {
		t.Error("a plan that tenants name was taken back")
	}
	if _, err := h.book.PutPlan(config.Plan{Name: "big"}, Terms{}); !errors.Is(err, ErrFile) {
		t.Errorf("changing a plan of the file gives %v", err)
	}
	if _, err := h.book.PutPlan(config.Plan{Name: "Not One"}, Terms{}); err == nil {
		t.Error("a plan without a proper name was declared")
	}
	again := open(t, fs.CrashClone(vfs.CrashCloneCfg{}), "plans: [{name: big, maxLinks: 100}]")
	if p, source, ok := again.book.Plan("small"); !ok || source != API || p.MaxLinks != 7 {
		t.Errorf("after a power cut it is %v, %v, %v", p, source, ok)
	}
	for _, name := range []string{"c", "d"} {
		if _, err := again.book.Delete(name, Terms{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := again.book.DeletePlan("small", Terms{}); err != nil {
		t.Error(err)
	}
	if plans := open(t, again.fs, "").book.Plans(); len(plans) != 0 {
		t.Errorf("there are %v", plans)
	}
}

// TestWhatCannotBeKeptIsRefused: whichever write fails, nothing that was not answered is in force.
func TestWhatCannotBeKeptIsRefused(t *testing.T) {
	for failing := range int32(6) {
		injector := errorfs.OnIndex(failing)
		c, err := config.Parse("manifold.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		h := &house{t: t}
		disk := vfs.NewMem()
		if h.book, err = Open(Options{FS: disk, Dir: "tenants", Adopt: h.adopt}, c); err != nil {
			t.Fatal(err)
		}
		h.book.folder.fs = errorfs.Wrap(disk, injector)
		_, err = h.put(acme, false, Terms{})
		if _, there := h.book.Lookup("acme"); there != (err == nil) || (h.commits == 1) != (err == nil) {
			t.Errorf("write %d: error %v, there %t, %d commits", failing, err, there, h.commits)
		}
		h.book.folder.fs = disk
		if _, err := h.put(acme, false, Terms{}); err != nil {
			t.Errorf("write %d: afterwards %v", failing, err)
		}
		open(t, disk, "").declares("acme", acme)
	}
}
