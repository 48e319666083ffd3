package load

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var coapWords = words{place: "path", publisher: "endpoint", layout: string(Mesh), port: "5683", window: defaultErrands}

// NewCoAPCommand returns the command `coap`, the like of `mqtt` for CoAP over UDP; see NewMQTTCommand.
func NewCoAPCommand() *cobra.Command {
	config := Config{Protocol: CoAP, PublishQoS: 1, Outstanding: defaultOutstanding}
	cmd := newRunCommand(&config, coapWords, func(*pflag.FlagSet) {})
	cmd.Use = "coap"
	cmd.Short = "Put CoAP requests on a server and measure it"
	cmd.Long = cmd.Short + `.

Each endpoint is a socket that sends confirmable POST requests and has up to --window of them under way. What is not
answered within --ack-timeout is sent again, each time after twice as long, and counted. Answers other than success make
the command fail, as do requests without an answer and answers to nothing. Rates and CPU times are those of the
measured time, after --warm-up. Latency, shown as confirmation, is the time to the answer; it counts from when a request
was due by --rate, so that a server which stops for a while is charged for all that had to wait.`
	cmd.Example = `  manifold bench coap --path a/telemetry/bench --endpoints 8 --window 16 --size 64
  manifold bench coap --path a/telemetry/bench --rate 1000 --latency
  manifold bench coap --path bench --put --server 127.0.0.1:5683     # libcoap's coap-server -d 10`
	f := cmd.Flags()
	f.BoolVar(&config.Put, "put", false, "send PUT requests")
	f.DurationVar(&config.AckTimeout, "ack-timeout", coapAckTimeout, "time after which a request is sent again at first")
	f.DurationVar(&config.Ends, "ends", 0, "show the rates of so much time at the beginning and at the end of the measured time")
	cmd.AddCommand(newCoAPIdleCommand())
	return cmd
}

func newCoAPIdleCommand() *cobra.Command {
	config := IdleConfig{Protocol: CoAP}
	idle := newIdleCommand(&config, coapWords)
	idle.Short = "Open many silent CoAP endpoints and hold them"
	idle.Long = idle.Short + `.

Each is a socket that observes a resource of its own, or the one that --broadcast messages come to in the end. With
--dtls it has a DTLS session with a pre-shared key, --password, for the identity --username, sends one request and
observes nothing; with --move every second one changes its port in the end and has to be answered there, as its
connection id allows.`
	idle.Example = `  manifold bench coap idle --path a/telemetry/idle --connections 20000 --sources 2 --broadcast 10
  manifold bench coap idle --dtls --username lamp@default --password sesame --server 127.0.0.1:5684 --move`
	f := idle.Flags()
	f.IntVar(&config.Broadcast, "broadcast", 0, "messages that all hear in the end; with any, they observe one resource")
	f.BoolVar(&config.Secure, "dtls", false, "make DTLS sessions")
	f.BoolVar(&config.Move, "move", false, "have half of the DTLS sessions change their ports")
	return idle
}
