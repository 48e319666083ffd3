package engine

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp/frame"
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

// TestHandlesThatArePassedOverCount, as each of them has its place in a table as long as the session is there.
func TestHandlesThatArePassedOverCount(t *testing.T) {
	c := newConversation(t)
	c.limits.MaxKept = 2000
	c.play("opened", "recv Attach Name=a Handle=200 Role=receiver Source.Address=s Target.Address=t")
	c.says("event requested a")
	c.play("recv Attach Name=b Handle=300 Role=receiver Source.Address=s Target.Address=t")
	c.says("send End Error.Condition=amqp:resource-limit-exceeded")
	c.play("recv End", "recv Begin NextOutgoingID=0 IncomingWindow=10 OutgoingWindow=10",
		"recv Attach Name=c Handle=200 Role=receiver Source.Address=s Target.Address=t")
	c.says("event requested c")
}

// TestMessageThatIsTooLargeMayEndTheConnection, and its sender hears which one it was, if he waits for that.
func TestMessageThatIsTooLargeMayEndTheConnection(t *testing.T) {
	for _, settled := range []string{"", " Settled=true"} {
		c := newConversation(t)
		c.limits.MaxMessageSize, c.limits.TooLarge = 100, &frame.Error{Condition: frame.ConnectionForced, Description: "oversize"}
		c.play("opened", peerSends, "do accept link=a", "do grant link=a n=9",
			"recv Transfer Handle=0 DeliveryID=0 DeliveryTag=t MessageFormat=0"+settled+" Size=100",
			"recv Transfer Handle=0 DeliveryID=1 DeliveryTag=t MessageFormat=0 More"+settled+" Size=60",
			"recv Transfer Handle=0 Size=60")
		said := strings.Join(c.Take(), "\n")
		if !strings.Contains(said, "send Close Error.Condition=amqp:connection:forced Error.Description=oversize") {
			t.Errorf("settled (%s): the connection does not end:\n%s", settled, said)
		}
		verdict := "send Disposition Role=receiver First=1 Settled State.Kind=rejected State.Error.Condition=amqp:link:message-size-exceeded"
		if strings.Contains(said, verdict) != (settled == "") {
			t.Errorf("settled (%s): it says\n%s", settled, said)
		}
	}
}

// TestLinksOfThePeerAreCounted, without those that it could not have, and those that it has no more.
func TestLinksOfThePeerAreCounted(t *testing.T) {
	c := newConversation(t)
	counts := func(senders, receivers int) {
		t.Helper()
		if s, r := c.conn.Links(frame.Receiver), c.conn.Links(frame.Sender); s != senders || r != receivers {
			t.Errorf("it has %d links that send and %d that receive, want %d and %d", s, r, senders, receivers)
		}
	}
	c.play("opened", peerSends, "do accept link=a", "recv Attach Name=b Handle=1 Role=receiver Source.Address=s Target.Address=t")
	counts(1, 1)
	c.play("do refuse link=b")
	counts(1, 0)
	c.play("recv Detach Handle=0 Closed")
	counts(0, 0)
}

// TestCreditIsAnnouncedAtOnceIfTheOwnerWants, although it is not worth a frame.
func TestCreditIsAnnouncedAtOnceIfTheOwnerWants(t *testing.T) {
	c := newConversation(t)
	c.play("opened", peerSends, "do accept link=a", "do grant link=a n=9", "do grant link=a n=1")
	c.saysNot("LinkCredit=10")
	c.links["a"].Announce()
	c.says("LinkCredit=10")
	c.links["a"].Announce()
	c.saysNot("send")
}
