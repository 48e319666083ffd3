package frametrace

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

func TestConnectionsAreShownAsTheLogSaysOrAsSomebodyChooses(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	l := New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})))
	level.Set(Level)
	if !l.Shows(1) || !l.Shows(0) {
		t.Error("a log of everything does not show it")
	}
	l.Choose(1, false)
	level.Set(slog.LevelInfo)
	l.Choose(2, true)
	if l.Shows(1) || !l.Shows(2) || l.Shows(3) {
		t.Errorf("it shows %t %t %t", l.Shows(1), l.Shows(2), l.Shows(3))
	}
	level.Set(Level)
	if l.Shows(1) || !l.Shows(3) {
		t.Error("what was chosen does not count")
	}
	l.Forget(1)
	if !l.Shows(1) {
		t.Error("what is forgotten counts")
	}
}

func TestLinesSayWhoseTheyAre(t *testing.T) {
	var out bytes.Buffer
	number := uint64(0)
	l := New(slog.New(slog.NewTextHandler(&out, nil)))
	trace := l.Of("127.0.0.1:9", func() uint64 { return number })
	if trace.Wanted() {
		t.Error("it is wanted at the level info")
	}
	trace.Show(frame.ProtocolAMQP[:], false)
	number = 7
	l.Choose(7, true)
	if !trace.Wanted() {
		t.Error("it is not wanted")
	}
	trace.Show(frame.Finish(frame.Start(nil, frame.AMQP, 0), 0), true)
	for _, want := range []string{"[127.0.0.1:9]:FRAME:   <- AMQP", "[C7]:FRAME: 0 -> (EMPTY FRAME)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, &out)
		}
	}
	var none *Log
	none.Forget(1)
	if none.Of("", nil).Wanted != nil {
		t.Error("no log shows something")
	}
}
