package engine

import (
	"strings"
	"testing"
)

func TestDefaultLimitsAreValid(t *testing.T) {
	if err := DefaultLimits().Validate(); err != nil {
		t.Error(err)
	}
}

func TestLimitsOutOfRangeAreNamed(t *testing.T) {
	for name, change := range map[string]func(*Limits){
		"maxFrameSize":      func(l *Limits) { l.MaxFrameSize = 511 },
		"maxHandshakeFrame": func(l *Limits) { l.MaxHandshakeFrame = 0 },
		"handleMax":         func(l *Limits) { l.HandleMax = 1 << 20 },
		"maxMessageSize":    func(l *Limits) { l.MaxMessageSize = 0 },
		"maxUnsettled":      func(l *Limits) { l.MaxUnsettled = 0 },
		"incomingWindow":    func(l *Limits) { l.IncomingWindow = 1 },
		"idleTimeout":       func(l *Limits) { l.IdleTimeout = -1 },
		"closeTimeout":      func(l *Limits) { l.CloseTimeout = 0 },
	} {
		l := DefaultLimits()
		change(&l)
		if err := l.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+" ") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
