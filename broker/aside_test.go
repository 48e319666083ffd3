package broker_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestADirectoryOfAnOlderSchemaIsTakenOver opens what brokers of schemas 2 and 3 left in testdata: four messages of jobs, of
// which the first was accepted and the second delivered; a subscription that was made before a retained message came.
func TestADirectoryOfAnOlderSchemaIsTakenOver(t *testing.T) {
	for _, folder := range []string{"testdata/schema2", "testdata/schema3"} {
		t.Run(folder, func(t *testing.T) { takeOver(t, folder) })
	}
}

func takeOver(t *testing.T, folder string) {
	fs := vfs.NewMem()
	copyIn(t, fs, folder)
	for range 2 { // the second time it is one of ours
		h := open(t, fs)
		got := h.Receiver("jobs", 5).Expect("2", "3", "4")
		if got[0].Attempts == 0 {
			t.Error("what was delivered before is not marked")
		}
		subscription := router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "kept"}
		h.From(subscription, 5).Expect("news")
		h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Retained: true}, 5).Expect("news")
		if n := h.broker.SetAside(); n != 0 {
			t.Errorf("%d things were set aside", n)
		}
		h.close(t)
	}
}

// copyIn copies the files of a folder into the data directory of a filesystem.
func copyIn(t *testing.T, fs vfs.FS, folder string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err = errors.Join(err, fs.MkdirAll("data", 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		f, err := fs.Create(fs.PathJoin("data", file.Name()), vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write(content)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOneCorruptRecordOfEachKindIsReportedAndHarmsNothingElse flips a bit of one record and sees what is left of two
// queues with two messages each, and of two retained messages.
func TestOneCorruptRecordOfEachKindIsReportedAndHarmsNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		space      byte
		length     int // of the key; 0 for any
		jobs, news []string
	}{
		"message":   {'q', 17, []string{"2"}, []string{"1", "2"}},
		"metadata":  {'q', 9, []string{"1", "2"}, []string{"1", "2"}},
		"catalogue": {'c', 0, nil, []string{"1", "2"}},
		"retained":  {'r', 0, []string{"1", "2"}, []string{"2"}},
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			h := open(t, fs)
			jobs := h.Sender("jobs")
			h.Receiver("jobs", 0) // so that there is metadata
			for _, body := range []string{"1", "2"} {
				jobs.Send(body)
				d := routertest.Text(body)
				d.Retain = true
				topic := h.Sender("telemetry/" + body)
				topic.SendDelivery(d)
				topic.Accepted(1)
			}
			jobs.Accepted(2)
			h.close(t)
			flip(t, fs, c.space, c.length)

			h = open(t, fs)
			defer h.close(t)
			h.Receiver("jobs", 5).Expect(c.jobs...)
			retained := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Retained: true}, 5)
			var got []string
			for range c.news {
				got = append(got, routertest.Body(retained.Next()))
			}
			if slices.Sort(got); !slices.Equal(got, c.news) {
				t.Errorf("%v is retained", got)
			}
			if n := h.broker.SetAside(); n == 0 {
				t.Error("nothing was reported")
			}
		})
	}
}

// flip turns a bit in the first record of a space whose key has that length.
func flip(t *testing.T, fs vfs.FS, space byte, length int) {
	t.Helper()
	db, err := pebble.Open("data", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatValueSeparation})
	if err != nil {
		t.Fatal(err)
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
	if err != nil {
		t.Fatal(err)
	}
	valid := it.First()
	for valid && length > 0 && len(it.Key()) != length {
		valid = it.Next()
	}
	if !valid {
		t.Fatal("there is no such record")
	}
	key, value := slices.Clone(it.Key()), slices.Clone(it.Value())
	value[len(value)-1] ^= 1
	if err := errors.Join(it.Close(), db.Set(key, value, pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
}
