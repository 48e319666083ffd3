package logging

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
)

// page is what a log has written, without the times.
type page struct {
	mu   sync.Mutex // guards everything below
	text strings.Builder
}

// Write implements io.Writer.
func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := strings.TrimSuffix(p.text.String(), "\n")
	p.text.Reset()
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		_, lines[i], _ = strings.Cut(lines[i], " ") // the time
		lines[i], _, _ = strings.Cut(lines[i], " since=")
	}
	return lines
}

func (p *page) has(t *testing.T, want ...string) {
	t.Helper()
	if got := p.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// open gives a log of which two lines of a kind are written a minute.
func open(p *page) (*slog.Logger, func()) {
	return New(p, config.Log{Level: "info", Format: "text", Burst: 2, Interval: time.Minute}, new(slog.LevelVar))
}

func TestLinesOfOneKindAreHeldBackAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(page)
		log, end := open(p)
		defer end()
		mqtt := log.With("door", "mqtt")
		for i := range 5 {
			mqtt.Warn("refused", "n", i)
			log.Info("other", "n", i)
			time.Sleep(time.Second)
		}
		log.Error("refused")
		p.has(t,
			`level=WARN msg=refused door=mqtt n=0`, `level=INFO msg=other n=0`,
			`level=WARN msg=refused door=mqtt n=1`, `level=INFO msg=other n=1`,
			`level=ERROR msg=refused`)
		time.Sleep(time.Minute)
		synctest.Wait() // until that is written
		p.has(t,
			`level=INFO msg="more lines said the same" line=other lines=3`,
			`level=WARN msg="more lines said the same" line=refused lines=3`)
		mqtt.Warn("refused", "n", 5)
		p.has(t, `level=WARN msg=refused door=mqtt n=5`)
	})
}

func TestSeldomLinesAreNeverHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(page)
		log, end := open(p)
		defer end()
		for range 10 {
			log.Warn("refused")
			time.Sleep(time.Minute)
		}
		if got := p.lines(); len(got) != 10 {
			t.Errorf("the log has %d lines", len(got))
		}
	})
}

func TestWhatWasHeldBackIsToldInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(page)
		log, end := open(p)
		for range 3 {
			log.Warn("refused")
		}
		p.lines()
		end()
		p.has(t, `level=WARN msg="more lines said the same" line=refused lines=1`)
		end()
		p.has(t)
	})
}

func TestNoBurstHoldsNothingBack(t *testing.T) {
	p := new(page)
	log, end := New(p, config.Log{Level: "info", Format: "json", Interval: time.Minute}, new(slog.LevelVar))
	for range 100 {
		log.Warn("refused")
		log.Debug("unheard")
	}
	end()
	if got := p.lines(); len(got) != 100 {
		t.Errorf("the log has %d lines", len(got))
	}
}

func TestKindsBeyondTheBoundAreWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(page)
		log, end := open(p)
		defer end()
		for i := range maxKinds {
			log.Info(fmt.Sprint(i))
		}
		for range 5 {
			log.Info("late")
		}
		if got := len(p.lines()); got != maxKinds+5 {
			t.Errorf("the log has %d lines", got)
		}
	})
}
