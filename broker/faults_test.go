package broker_test

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/broker/internal/store/memlog"
)

// machine is what a broker runs on, and how that fails.
type machine interface {
	// start opens a broker. It fails only if it may: when what is on the disk cannot be trusted.
	start() (*broker.Broker, error)
	// fail begins what goes wrong while the broker runs.
	fail()
	// cut takes the power away: what is on disk then is what the next start finds.
	cut()
	// end lets go whatever still waits, so that the broker that ran until the cut can be closed.
	end()
	// doubts tells what may be missing on what was left.
	doubts() doubts
	// spoils tells that blocks of tables are spoilt. Pebble may then panic when it compacts deletions without anything to delete,
	// as those of large bodies.
	spoils() bool
}

// doubts is what of all that was safe may be missing.
type doubts int

const (
	nothing  doubts = iota
	reported        // anything, but not in silence
	theTail         // what was written last: a bit of it that is wrong looks as if it had not been written to its end
)

// machines are all kinds of them.
var machines = map[string]func(*rand.Rand) machine{
	"power cut":    func(r *rand.Rand) machine { return newDisk(r, nil) },
	"failed sync":  func(r *rand.Rand) machine { return newLogDisk(r, isSync) },
	"failed write": func(r *rand.Rand) machine { return newLogDisk(r, isWrite) },
	"failed table": func(r *rand.Rand) machine {
		return newDisk(r, func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWrite && isTable(op.Path) })
	},
	"full disk": func(r *rand.Rand) machine {
		d := newDisk(r, nil)
		d.room = brokertest.NewDisk(d.fs, 1<<40)
		d.fs = d.room
		return d
	},
	"flipped bit": func(r *rand.Rand) machine {
		d := newDisk(r, nil)
		d.flips, d.cache = true, 16<<20
		return d
	},
	"log in memory": func(r *rand.Rand) machine { return &shared{log: memlog.New(), random: r} },
}

func isSync(op errorfs.Op) bool {
	return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData
}
func isWrite(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWrite }

func isLog(path string) bool   { return strings.HasSuffix(path, ".log") }
func isTable(path string) bool { return strings.HasSuffix(path, ".sst") }

var errBroken = errors.New("disk on fire")

// disk is a machine with a disk of its own, that loses what was not synced, or a part of it.
type disk struct {
	random *rand.Rand
	memory *vfs.MemFS
	fs     vfs.FS
	broken atomic.Bool
	room   *brokertest.Disk // nil if there is room without end
	flips  bool             // a bit of a file, during the cut
	doubt  doubts
	cache  int64 // bytes of a memtable
}

// newDisk makes a disk of which operations fail that match, as soon as it is to fail.
func newDisk(r *rand.Rand, match func(errorfs.Op) bool) *disk {
	d := &disk{random: r, memory: vfs.NewCrashableMem(), cache: 64 << 10}
	d.fs = d.memory
	if match != nil {
		d.fs = errorfs.Wrap(d.memory, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if d.broken.Load() && match(op) {
				return errBroken
			}
			return nil
		}))
	}
	return d
}

// newLogDisk makes a disk of which operations on the log fail that match. There is only one log: that it cannot go on to the
// next would end the process.
func newLogDisk(r *rand.Rand, match func(errorfs.Op) bool) *disk {
	d := newDisk(r, func(op errorfs.Op) bool { return isLog(op.Path) && match(op) })
	d.cache = 16 << 20
	return d
}

func (d *disk) start() (*broker.Broker, error) {
	return broker.Open(broker.Options{Dir: "data", FS: d.fs, Log: slog.New(slog.DiscardHandler), MemTableSize: d.cache, MinFree: 1})
}

func (d *disk) fail() {
	d.broken.Store(true)
	if d.room != nil { // for a few more writes, of which the last is short
		usage, _ := d.room.GetDiskUsage("")
		d.room.Add(d.random.Int64N(2000) - int64(usage.AvailBytes))
	}
}

func (d *disk) cut() {
	d.memory = d.memory.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: d.random.IntN(101), RNG: d.random})
	d.fs = d.memory
	switch {
	case !d.flips:
	case d.random.IntN(2) == 0:
		d.doubt = theTail
		flipSomewhere(d.memory, d.random, isLog)
	default:
		d.doubt = reported
		d.restart()
		flipSomewhere(d.memory, d.random, isTable)
	}
}

// restart lets what is in the log become tables.
func (d *disk) restart() {
	b, err := d.start()
	if err == nil {
		err = b.Close()
	}
	if err != nil {
		panic(err)
	}
}

func (d *disk) end() {
	if d.room != nil {
		d.room.Add(1 << 40)
	}
}

func (d *disk) doubts() doubts { return d.doubt }
func (d *disk) spoils() bool   { return d.flips }

// flipSomewhere turns a bit of one of the files of a kind.
func flipSomewhere(fs vfs.FS, r *rand.Rand, isOne func(path string) bool) {
	names, err := fs.List("data")
	if err != nil {
		panic(err)
	}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		path := fs.PathJoin("data", name)
		info, err := fs.Stat(path)
		if err != nil || !isOne(name) || info.Size() == 0 {
			continue
		}
		f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			panic(err)
		}
		var b [1]byte
		at := r.Int64N(info.Size())
		_, err = f.ReadAt(b[:], at)
		b[0] ^= 1 << r.IntN(8)
		_, wrote := f.WriteAt(b[:], at)
		if err := errors.Join(err, wrote, f.Close()); err != nil {
			panic(err)
		}
		return
	}
}

// shared is a machine whose log is elsewhere, and is taken over when the power is cut.
type shared struct {
	log    *memlog.Log
	random *rand.Rand
	held   bool
}

func (s *shared) start() (*broker.Broker, error) {
	owner, err := s.log.Open()
	if err != nil {
		return nil, err
	}
	return broker.OpenOver(broker.Options{Dir: "data", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler)}, owner)
}

// fail lets the log answer no more, or another one take it, or does nothing.
func (s *shared) fail() {
	switch s.random.IntN(3) {
	case 0:
		s.log.Hold()
		s.held = true
	case 1:
		_, _ = s.log.Open()
	}
}

func (s *shared) cut() { s.log.Crash(s.random) }

func (s *shared) end() {
	if s.held {
		s.log.Release()
		s.held = false
	}
}

func (s *shared) doubts() doubts { return nothing }
func (s *shared) spoils() bool   { return false }

// forEachMachine runs a test for each kind of machine.
func forEachMachine(t *testing.T, run func(*testing.T, func(*rand.Rand) machine)) {
	for name, build := range machines {
		t.Run(name, func(t *testing.T) { run(t, build) })
	}
}
