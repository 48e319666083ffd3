package store

import (
	"errors"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker/brokertest"
)

// TestCompactionsGiveUpWhileDeletionsHaveRoom: a compaction that waited on a full disk for room would keep what it has written, and
// the log from writing down what would make room.
func TestCompactionsGiveUpWhileDeletionsHaveRoom(t *testing.T) {
	const room, minFree = 4 << 20, 1 << 20
	disk := brokertest.NewDisk(vfs.NewMem(), room)
	sp := newSpace(disk, &Options{MinFree: minFree, SpaceInterval: time.Microsecond, Logger: slog.New(slog.DiscardHandler)})
	sp.opened.Store(true)
	fs := patience{disk, sp}
	for _, category := range []vfs.DiskWriteCategory{"pebble-compaction", "pebble-blob-file-rewrite"} {
		f, err := fs.Create("1.sst", category)
		if err != nil {
			t.Fatal(err)
		}
		written := 0
		for err == nil {
			var n int
			n, err = f.Write(make([]byte, 64<<10))
			written += n
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("it ended with %v", err)
		}
		if usage, _ := disk.GetDiskUsage(""); usage.AvailBytes < minFree/4 || written < room-minFree {
			t.Errorf("%s wrote %d of %d bytes and left %d", category, written, room, usage.AvailBytes)
		}
		log, err := fs.Create("2.log", "pebble-wal")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := log.Write(make([]byte, minFree/8)); err != nil {
			t.Errorf("the log wrote %d bytes: %v", n, err)
		}
		if err := errors.Join(log.Close(), f.Close(), fs.Remove("1.sst"), fs.Remove("2.log")); err != nil {
			t.Fatal(err)
		}
		sp.measure()
	}
}
