package session

import "fmt"

// Reason is an MQTT 5 reason code (section 2.4). Codes from 0x80 on are failures. Older clients are told what their
// protocol has a place for: a CONNACK return code, SUBACK 0x80, or nothing but the end of the connection.
type Reason byte

// The reason codes that this package or its owner uses.
const (
	Success                     Reason = 0x00
	GrantedQoS1                 Reason = 0x01
	GrantedQoS2                 Reason = 0x02
	DisconnectWithWill          Reason = 0x04
	NoMatchingSubscribers       Reason = 0x10
	ContinueAuthentication      Reason = 0x18
	Reauthenticate              Reason = 0x19
	NoSubscriptionExisted       Reason = 0x11
	UnspecifiedError            Reason = 0x80
	MalformedPacket             Reason = 0x81
	ProtocolError               Reason = 0x82
	ImplementationSpecific      Reason = 0x83
	UnsupportedVersion          Reason = 0x84
	ClientIDNotValid            Reason = 0x85
	BadUserNameOrPassword       Reason = 0x86
	NotAuthorized               Reason = 0x87
	ServerUnavailable           Reason = 0x88
	ServerBusy                  Reason = 0x89
	Banned                      Reason = 0x8A
	ServerShuttingDown          Reason = 0x8B
	BadAuthentication           Reason = 0x8C
	KeepAliveTimeout            Reason = 0x8D
	SessionTakenOver            Reason = 0x8E
	TopicFilterInvalid          Reason = 0x8F
	TopicNameInvalid            Reason = 0x90
	PacketIDNotFound            Reason = 0x92
	ReceiveMaximumExceeded      Reason = 0x93
	TopicAliasInvalid           Reason = 0x94
	PacketTooLarge              Reason = 0x95
	QuotaExceeded               Reason = 0x97
	AdministrativeAction        Reason = 0x98
	PayloadFormatInvalid        Reason = 0x99
	RetainNotSupported          Reason = 0x9A
	QoSNotSupported             Reason = 0x9B
	SharedNotSupported          Reason = 0x9E
	RateExceeded                Reason = 0x9F
	UseAnotherServer            Reason = 0x9C
	ServerMoved                 Reason = 0x9D
	SubscriptionIDsNotSupported Reason = 0xA1
	WildcardsNotSupported       Reason = 0xA2
)

// Failed reports whether the code tells of a failure.
func (r Reason) Failed() bool { return r >= 0x80 }

// String names the code in the words of the specification.
func (r Reason) String() string {
	switch r {
	case Success:
		return "success"
	case GrantedQoS1:
		return "granted QoS 1"
	case GrantedQoS2:
		return "granted QoS 2"
	case DisconnectWithWill:
		return "disconnect with will message"
	case NoMatchingSubscribers:
		return "no matching subscribers"
	case ContinueAuthentication:
		return "continue authentication"
	case Reauthenticate:
		return "re-authenticate"
	case NoSubscriptionExisted:
		return "no subscription existed"
	case UnspecifiedError:
		return "unspecified error"
	case MalformedPacket:
		return "malformed packet"
	case ProtocolError:
		return "protocol error"
	case ImplementationSpecific:
		return "implementation specific error"
	case UnsupportedVersion:
		return "unsupported protocol version"
	case ClientIDNotValid:
		return "client identifier not valid"
	case BadUserNameOrPassword:
		return "bad user name or password"
	case NotAuthorized:
		return "not authorized"
	case ServerUnavailable:
		return "server unavailable"
	case ServerBusy:
		return "server busy"
	case Banned:
		return "banned"
	case ServerShuttingDown:
		return "server shutting down"
	case BadAuthentication:
		return "bad authentication method"
	case KeepAliveTimeout:
		return "keep alive timeout"
	case SessionTakenOver:
		return "session taken over"
	case TopicFilterInvalid:
		return "topic filter invalid"
	case TopicNameInvalid:
		return "topic name invalid"
	case PacketIDNotFound:
		return "packet identifier not found"
	case ReceiveMaximumExceeded:
		return "receive maximum exceeded"
	case TopicAliasInvalid:
		return "topic alias invalid"
	case PacketTooLarge:
		return "packet too large"
	case QuotaExceeded:
		return "quota exceeded"
	case AdministrativeAction:
		return "administrative action"
	case PayloadFormatInvalid:
		return "payload format invalid"
	case RetainNotSupported:
		return "retain not supported"
	case QoSNotSupported:
		return "QoS not supported"
	case SharedNotSupported:
		return "shared subscriptions not supported"
	case RateExceeded:
		return "connection rate exceeded"
	case UseAnotherServer:
		return "use another server"
	case ServerMoved:
		return "server moved"
	case SubscriptionIDsNotSupported:
		return "subscription identifiers not supported"
	case WildcardsNotSupported:
		return "wildcard subscriptions not supported"
	}
	return fmt.Sprintf("reason 0x%02X", byte(r))
}

// returnCode is the CONNACK return code of MQTT 3.1.1 for a refusal (section 3.2.2.3, table 3.1).
func (r Reason) returnCode() byte {
	switch r {
	case UnsupportedVersion:
		return 1
	case ClientIDNotValid:
		return 2
	case BadUserNameOrPassword:
		return 4
	case NotAuthorized, Banned, BadAuthentication:
		return 5
	default:
		return 3 // server unavailable
	}
}

// A Violation is an error of the peer that ended the session.
type Violation struct {
	Reason Reason
	Detail string // what exactly was wrong; a constant text, free of the peer's data
}

func (v *Violation) Error() string { return v.Reason.String() + ": " + v.Detail }

func violation(r Reason, detail string) error { return &Violation{Reason: r, Detail: detail} }
