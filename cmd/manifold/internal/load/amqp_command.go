package load

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var amqpWords = words{place: "address", publisher: "sender", subscriber: "receiver", layout: string(Workers), port: "5672",
	window: defaultWindow, outstanding: defaultOutstanding}

// NewAMQPCommand returns the command `amqp`, the like of `mqtt` for AMQP 1.0; see NewMQTTCommand.
func NewAMQPCommand() *cobra.Command {
	config := Config{Protocol: AMQP}
	settled := false
	cmd := newRunCommand(&config, amqpWords, func(*pflag.FlagSet) {
		config.PublishQoS, config.SubscribeQoS = 1, 1
		if settled {
			config.PublishQoS, config.SubscribeQoS = 0, 0
		}
	})
	cmd.Use = "amqp"
	cmd.Short = "Put AMQP 1.0 traffic on a server and measure it"
	cmd.Long = cmd.Short + `.

Senders send as fast as credit and windows let them, or at --rate. Every message is numbered; what is lost, doubled, out
of order or not accepted is counted and makes the command fail, as does a connection that breaks. Rates and CPU times
are those of the measured time, after --warm-up. Latency counts from when a message was due by --rate, so that a server
which stops for a while is charged for all that had to wait.`
	cmd.Example = `  manifold bench amqp --address commands --senders 4 --receivers 4 --settled
  manifold bench amqp --address commands --rate 10000 --latency
  manifold bench amqp --address jobs --receivers 0 --durable --messages 100000
  manifold bench amqp --address commands --server a.example:5672 --receive-from c.example:5672
  manifold bench amqp --address news --layout mesh --receivers 10 --size 65536 --outstanding 100`
	f := cmd.Flags()
	f.BoolVar(&settled, "settled", false, "send settled messages, which nobody answers, and receive them settled")
	f.StringVar(&config.From, "receive-from", "", "host:port that receivers connect to, if that is another router than the senders'")
	f.IntSliceVar(&config.AlsoPIDs, "also-pid", nil, "further local process, such as another router, measured with --server-pid")
	f.BoolVar(&config.Durable, "durable", false, "say in each message's header that it is durable")
	idle := newIdleCommand(&IdleConfig{Protocol: AMQP}, amqpWords)
	idle.Short = "Open many silent AMQP connections with a link in each direction and hold them"
	idle.Example = `  manifold bench amqp idle --connections 5000 --hold 1m`
	cmd.AddCommand(idle)
	return cmd
}
