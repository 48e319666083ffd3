package stomp

import (
	"errors"
	"testing"

	"github.com/manifoldmq/manifold/router"
)

func TestEveryReasonHasAMessage(t *testing.T) {
	seen := make(map[string]router.Reason)
	for reason := range router.Reason(router.ReasonCount) {
		message := messages[reason]
		if (message == "") != (reason == router.OK) {
			t.Errorf("%v: message %q", reason, message)
		}
		if other, twice := seen[message]; twice {
			t.Errorf("%v and %v have the message %q", reason, other, message)
		}
		seen[message] = reason
		if got := refusalOf(router.Errorf(reason, "why")); got.Message != message {
			t.Errorf("%v: refused with %v", reason, got)
		}
	}
}

func TestOurFaultsAreNotDescribed(t *testing.T) {
	if got := refusalOf(errors.New("disk /dev/sda1")); got.Message != messages[router.Internal] || got.Detail != "" {
		t.Errorf("refused with %+v", got)
	}
}
