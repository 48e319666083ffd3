package load

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"
)

var errNotSound = errors.New("messages were lost, duplicated or out of order")

// report is a result that can be shown.
type report interface {
	WriteText(w io.Writer) error
	WriteJSON(w io.Writer) error
}

// NewMQTTCommand returns the command `mqtt`, which is meant to stand below `manifold bench`: a load run, with the
// subcommand `idle` for a fleet of silent connections. It prints to the command's output and ends with its context.
func NewMQTTCommand() *cobra.Command {
	var (
		config Config
		layout string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "mqtt",
		Short: "Put MQTT 3.1.1 traffic on a server and measure it",
		Long: `Put MQTT 3.1.1 traffic on a server and measure it.

Publishers send as fast as the windows let them, or at --rate. Every message is numbered; what is lost, doubled or out
of order is counted and makes the command fail, as does a connection that breaks. Rates and CPU times are those of the
measured time, after --warm-up.`,
		Example: `  manifold bench mqtt --publishers 1 --subscribers 100 --layout fanout --duration 10s
  manifold bench mqtt --topic jobs --layout mesh --subscribers 0 --qos 1 --messages 100000
  manifold bench mqtt --topic q --layout mesh --subscribers 0 --qos 1 --topics 50000 --messages 50000 --warm-up 0s`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			config.Layout = Layout(layout)
			if config.Messages > 0 && !cmd.Flags().Changed("duration") {
				config.Duration = 0
			}
			if !cmd.Flags().Changed("subscribe-qos") {
				config.SubscribeQoS = config.PublishQoS
			}
			return config.Validate()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SilenceUsage = true
			result, err := Run(cmd.Context(), config)
			if err != nil {
				return err
			}
			if err := show(cmd.OutOrStdout(), result, asJSON); err != nil {
				return err
			}
			if !result.Sound() {
				return errNotSound
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&config.Address, "address", "127.0.0.1:1883", "host:port of the server")
	f.StringVar(&config.Username, "username", "", "user name for CONNECT")
	f.StringVar(&config.Password, "password", "", "password for CONNECT")
	f.StringVar(&layout, "layout", string(Pairs), "pairs (1:1), fanout (1:N) or mesh (N:N on one topic)")
	f.StringVar(&config.Topic, "topic", "bench", "the topic for mesh, the prefix of the topics otherwise")
	f.IntVar(&config.Publishers, "publishers", 1, "number of publishers")
	f.IntVar(&config.Subscribers, "subscribers", 1, "number of subscribers; 0 counts acknowledged messages")
	f.IntVar(&config.Topics, "topics", 0,
		"topics that a publisher writes to in turn, numbered below its own; 0 is its own alone")
	f.IntVar(&config.PayloadSize, "size", 256, "payload in bytes")
	f.IntVar(&config.PublishQoS, "qos", 0, "QoS of publishing: 0 or 1")
	f.IntVar(&config.SubscribeQoS, "subscribe-qos", 0, "QoS of subscribing: 0 or 1; default as --qos")
	f.IntVar(&config.Window, "window", defaultWindow, "unacknowledged QoS 1 messages per publisher")
	f.IntVar(&config.Outstanding, "outstanding", defaultOutstanding,
		"messages a publisher may be ahead of the slowest subscriber")
	f.Float64Var(&config.Rate, "rate", 0, "messages per second per publisher; 0 is unlimited")
	f.DurationVar(&config.WarmUp, "warm-up", time.Second, "time before measuring")
	f.DurationVar(&config.Duration, "duration", 10*time.Second, "time of measuring")
	f.Uint64Var(&config.Messages, "messages", 0, "messages per publisher to measure, instead of a duration")
	f.DurationVar(&config.Patience, "patience", defaultPatience, "silence after which outstanding messages are lost")
	f.BoolVar(&config.Latency, "latency", false, "measure latency (costs the driver more CPU)")
	f.IntVar(&config.ServerPID, "server-pid", 0, "local process whose CPU time is measured as well")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(newIdleCommand())
	return cmd
}

func newIdleCommand() *cobra.Command {
	var (
		config IdleConfig
		hold   time.Duration
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:     "idle",
		Short:   "Open many silent MQTT connections and hold them",
		Example: `  manifold bench mqtt idle --connections 10000 --hold 1m`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SilenceUsage = true
			fleet, err := OpenIdle(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer fleet.Close()
			if err := show(cmd.OutOrStdout(), fleet.Result(), asJSON); err != nil {
				return err
			}
			return pause(cmd.Context(), hold)
		},
	}
	f := cmd.Flags()
	f.StringVar(&config.Address, "address", "127.0.0.1:1883", "host:port of the server")
	f.StringVar(&config.Username, "username", "", "user name for CONNECT")
	f.StringVar(&config.Password, "password", "", "password for CONNECT")
	f.StringVar(&config.Topic, "topic", "idle", "prefix of the topics that are subscribed to")
	f.IntVar(&config.Connections, "connections", 10000, "number of connections")
	f.IntVar(&config.Sources, "sources", 1, "loopback source addresses to spread the connections over")
	f.IntVar(&config.ServerPID, "server-pid", 0, "local process whose memory is measured")
	f.DurationVar(&config.Settle, "settle", 5*time.Second, "time before the memory is measured")
	f.DurationVar(&hold, "hold", 0, "time to hold the connections after the result is printed")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func show(w io.Writer, r report, asJSON bool) error {
	if asJSON {
		return r.WriteJSON(w)
	}
	return r.WriteText(w)
}
