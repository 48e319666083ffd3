package load

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var mqttWords = words{place: "topic", publisher: "publisher", subscriber: "subscriber", layout: string(Pairs), port: "1883",
	window: defaultWindow, outstanding: defaultOutstanding}

// NewMQTTCommand returns the command `mqtt`, which is meant to stand below `manifold bench`: a load run, with the
// subcommand `idle` for a fleet of silent connections. It prints to the command's output and ends with its context.
func NewMQTTCommand() *cobra.Command {
	config := Config{Protocol: MQTT}
	cmd := newRunCommand(&config, mqttWords, func(f *pflag.FlagSet) {
		if !f.Changed("subscribe-qos") {
			config.SubscribeQoS = config.PublishQoS
		}
	})
	cmd.Use = "mqtt"
	cmd.Short = "Put MQTT 3.1.1 traffic on a server and measure it"
	cmd.Long = cmd.Short + `.

Publishers send as fast as the windows let them, or at --rate. Every message is numbered; what is lost, doubled or out
of order is counted and makes the command fail, as does a connection that breaks. Rates and CPU times are those of the
measured time, after --warm-up. Latency counts from when a message was due by --rate, so that a server which stops for a
while is charged for all that had to wait.`
	cmd.Example = `  manifold bench mqtt --publishers 1 --subscribers 100 --layout fanout --duration 10s
  manifold bench mqtt --topic jobs --layout mesh --subscribers 0 --qos 1 --messages 100000
  manifold bench mqtt --topic q --layout mesh --subscribers 0 --qos 1 --topics 50000 --messages 50000 --warm-up 0s`
	f := cmd.Flags()
	f.IntVar(&config.PublishQoS, "qos", 0, "QoS of publishing: 0 or 1")
	f.IntVar(&config.SubscribeQoS, "subscribe-qos", 0, "QoS of subscribing: 0 or 1; default as --qos")
	f.IntVar(&config.Topics, "topics", 0,
		"topics that a publisher writes to in turn, numbered below its own; 0 is its own alone")
	f.IntVar(&config.Stalled, "stalled", 0, "further subscribers of the same topics, that read nothing")
	fleet := IdleConfig{Protocol: MQTT}
	idle := newIdleCommand(&fleet, mqttWords)
	idle.Short = "Open many silent MQTT connections and hold them"
	idle.Example = `  manifold bench mqtt idle --connections 10000 --hold 1m
  manifold bench mqtt idle --connections 50000 --sources 3 --broadcast 10`
	idle.Flags().IntVar(&fleet.Broadcast, "broadcast", 0,
		"messages that all connections hear in the end; with any, they subscribe to one topic")
	idle.Flags().BoolVar(&fleet.Hear, "hear", false, "leave the publishing to another fleet with the same topic and broadcast")
	cmd.AddCommand(idle)
	return cmd
}
