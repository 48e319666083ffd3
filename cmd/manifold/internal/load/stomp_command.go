package load

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var stompWords = words{place: "destination", publisher: "sender", subscriber: "receiver", layout: string(Workers),
	port: "61613", window: defaultWindow, outstanding: defaultOutstanding}

// NewSTOMPCommand returns the command `stomp`, the like of `mqtt` for STOMP 1.2; see NewMQTTCommand.
func NewSTOMPCommand() *cobra.Command {
	config := Config{Protocol: STOMP}
	unconfirmed, auto := false, false
	cmd := newRunCommand(&config, stompWords, func(*pflag.FlagSet) {
		config.PublishQoS, config.SubscribeQoS = 1, 1
		if unconfirmed {
			config.PublishQoS = 0
		}
		if auto {
			config.SubscribeQoS = 0
		}
	})
	cmd.Use = "stomp"
	cmd.Short = "Put STOMP 1.2 traffic on a server and measure it"
	cmd.Long = cmd.Short + `.

Senders ask for a receipt of each message and have up to --window of them under way; receivers acknowledge each message,
and have as many at a time as --outstanding says. Every message is numbered; what is lost, doubled or out of order is
counted and makes the command fail, as does an ERROR. Rates and CPU times are those of the measured time, after --warm-up.
Latency counts from when a message was due by --rate, so that a server which stops for a while is charged for all that had
to wait.`
	cmd.Example = `  manifold bench stomp --destination jobs --durable
  manifold bench stomp --destination commands --senders 4 --receivers 4 --unconfirmed --auto
  manifold bench stomp --destination /queue/jobs --durable --receivers 0 --messages 100000
  manifold bench stomp --destination /topic/news --layout mesh --receivers 10 --unconfirmed --auto`
	f := cmd.Flags()
	f.BoolVar(&unconfirmed, "unconfirmed", false, "send without receipts")
	f.BoolVar(&auto, "auto", false, "subscribe with ack:auto, and acknowledge nothing")
	f.BoolVar(&config.Durable, "durable", false, "say in each message that it is persistent")
	addHostFlag(f, &config.Host)
	cmd.AddCommand(newSTOMPIdleCommand())
	return cmd
}

func newSTOMPIdleCommand() *cobra.Command {
	config := IdleConfig{Protocol: STOMP}
	idle := newIdleCommand(&config, stompWords)
	idle.Short = "Open many silent STOMP connections and hold them"
	idle.Example = `  manifold bench stomp idle --destination /topic/idle --connections 5000 --hold 1m`
	addHostFlag(idle.Flags(), &config.Host)
	return idle
}

func addHostFlag(f *pflag.FlagSet, host *string) {
	f.StringVar(host, "host", defaultHost, "virtual host to name; with RabbitMQ one that it has")
}
