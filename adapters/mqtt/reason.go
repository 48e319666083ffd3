package mqtt

import (
	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// refusal is what a client before MQTT 5 is told when its QoS 1 publish was not accepted: its protocol has no code for
// that (MQTT 3.1.1, section 3.3.5).
type refusal uint8

const (
	acknowledge refusal = iota // PUBACK all the same
	withhold                   // no PUBACK, and the end of the connection at the delivery timeout
	disconnect                 // the end of the connection
)

// codes are one reason in the words of MQTT.
type codes struct {
	puback      session.Reason // of PUBACK, MQTT 5 section 3.4.2.1
	suback      session.Reason // of SUBACK, MQTT 5 section 3.9.3; before MQTT 5 any failure is 0x80
	connack     session.Reason // of CONNACK, MQTT 5 section 3.2.2.2, and of DISCONNECT, section 3.14.2.1
	beforeMQTT5 refusal
}

// reasons is the door's table: one row for each reason.
//
//	PUBACK:  https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901124
//	SUBACK:  https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901178
//	CONNACK: https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901079
//	3.1.1:   https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html#_Toc398718042
var reasons = [router.ReasonCount]codes{
	router.OK:              {session.Success, session.Success, session.Success, acknowledge},
	router.Unroutable:      {session.QuotaExceeded, session.UnspecifiedError, session.ServerBusy, withhold},
	router.Failed:          {session.UnspecifiedError, session.UnspecifiedError, session.UnspecifiedError, withhold},
	router.Malformed:       {session.TopicNameInvalid, session.TopicFilterInvalid, session.MalformedPacket, disconnect},
	router.Unauthenticated: {session.NotAuthorized, session.NotAuthorized, session.BadUserNameOrPassword, disconnect},
	router.Denied:          {session.NotAuthorized, session.NotAuthorized, session.NotAuthorized, disconnect},
	router.NotFound:        {session.TopicNameInvalid, session.TopicFilterInvalid, session.TopicNameInvalid, disconnect},
	router.Conflict:        {session.ImplementationSpecific, session.ImplementationSpecific, session.SessionTakenOver, disconnect},
	router.TooLarge:        {session.QuotaExceeded, session.QuotaExceeded, session.PacketTooLarge, disconnect},
	router.Quota:           {session.QuotaExceeded, session.QuotaExceeded, session.QuotaExceeded, disconnect},
	router.Unsupported:     {session.ImplementationSpecific, session.ImplementationSpecific, session.ImplementationSpecific, disconnect},
	router.Stopping:        {session.UnspecifiedError, session.UnspecifiedError, session.ServerShuttingDown, disconnect},
	router.Internal:        {session.UnspecifiedError, session.UnspecifiedError, session.UnspecifiedError, disconnect},
}

// noticeOf gives an error as CONNACK and DISCONNECT tell it.
func noticeOf(err error) session.Notice {
	return session.Notice{Code: reasons[router.ReasonOf(err)].connack, Text: explain(err)}
}

// explain is what a client is told of an error beside its code: nothing of what is a fault of ours.
func explain(err error) string {
	if reason := router.ReasonOf(err); reason == router.OK || reason == router.Internal {
		return ""
	}
	return err.Error()
}

// codesOf gives the words for an outcome at an address of some kind. That nobody was there to hear a broadcast is
// nothing that its publisher could mend: it hears so with success (0x10), or before MQTT 5 not at all.
func codesOf(reason router.Reason, kind addressing.Kind) codes {
	c := reasons[reason]
	if reason == router.Unroutable && kind == addressing.Broadcast {
		c.puback, c.beforeMQTT5 = session.NoMatchingSubscribers, acknowledge
	}
	return c
}
