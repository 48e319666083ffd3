package gateway

// The protocols, as tests of several of them are named.
const (
	mqtt3    = "MQTT 3.1.1"
	mqtt5    = "MQTT 5"
	httpSend = "HTTP"
	amqp1    = "AMQP 1.0"
	stomp12  = "STOMP 1.2"
)
