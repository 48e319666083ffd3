package load

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var errNotSound = errors.New("messages were lost, duplicated or out of order")

// report is a result that can be shown.
type report interface {
	WriteText(w io.Writer) error
	WriteJSON(w io.Writer) error
}

// newRunCommand gives a command for load runs of one protocol, which prints to the command's output and ends with its
// context. It has the flags that all protocols share; words says what publishers and subscribers are called in this
// one. refine finishes the configuration from flags of the caller's own.
func newRunCommand(config *Config, words words, refine func(*pflag.FlagSet)) *cobra.Command {
	var (
		layout = words.layout
		asJSON bool
	)
	cmd := &cobra.Command{
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			config.Layout = Layout(layout)
			if config.Messages > 0 && !cmd.Flags().Changed("duration") {
				config.Duration = 0
			}
			refine(cmd.Flags())
			return config.Validate()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SilenceUsage = true
			result, err := Run(cmd.Context(), *config)
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
	addServerFlags(f, words, &config.Address, &config.Username, &config.Password)
	if words.subscriber != "" {
		addSubscriberFlags(f, words, config, &layout)
	}
	f.StringVar(&config.Topic, words.place, "bench", "the "+words.place+" for mesh and workers, the prefix of them otherwise")
	f.IntVar(&config.Publishers, words.publisher+"s", 1, "number of "+words.publisher+"s")
	f.IntVar(&config.PayloadSize, "size", 256, "payload in bytes")
	f.IntVar(&config.Window, "window", words.window, "unacknowledged messages per "+words.publisher)
	f.Float64Var(&config.Rate, "rate", 0, "messages per second per "+words.publisher+"; 0 is unlimited")
	f.DurationVar(&config.WarmUp, "warm-up", time.Second, "time before measuring")
	f.DurationVar(&config.Duration, "duration", 10*time.Second, "time of measuring")
	f.Uint64Var(&config.Messages, "messages", 0, "messages per "+words.publisher+" to measure, instead of a duration")
	f.DurationVar(&config.Patience, "patience", defaultPatience, "silence after which outstanding messages are lost")
	f.BoolVar(&config.Latency, "latency", false, "measure latency (costs the driver more CPU)")
	f.IntVar(&config.ServerPID, "server-pid", 0, "local process whose CPU time and memory are measured as well")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// words are what a protocol calls things.
type words struct {
	place                 string // what messages are sent to
	publisher, subscriber string // without a word for subscribers there are none
	layout                string // the usual one
	port                  string // the usual one
	window, outstanding   int    // the usual ones
}

func addSubscriberFlags(f *pflag.FlagSet, words words, config *Config, layout *string) {
	f.StringVar(layout, "layout", words.layout, "pairs (1:1), fanout (1:N), mesh (N:N on one "+words.place+", everybody gets "+
		"all) or workers (N:N on one "+words.place+", each message goes to one of them)")
	f.IntVar(&config.Subscribers, words.subscriber+"s", 1,
		"number of "+words.subscriber+"s; 0 counts acknowledged messages")
	f.IntVar(&config.Outstanding, "outstanding", words.outstanding,
		"messages a "+words.publisher+" may be ahead of the slowest "+words.subscriber)
}

func addServerFlags(f *pflag.FlagSet, words words, address, username, password *string) {
	f.StringVar(address, "server", "127.0.0.1:"+words.port, "host:port of the server")
	f.StringVar(username, "username", "", "user name to show to the server")
	f.StringVar(password, "password", "", "password to show to the server")
}

// newIdleCommand gives the command for a fleet of one protocol, with the flags that all protocols share.
func newIdleCommand(config *IdleConfig, words words) *cobra.Command {
	var (
		hold   time.Duration
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:  "idle",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SilenceUsage = true
			fleet, err := OpenIdle(cmd.Context(), *config)
			if err != nil {
				return err
			}
			defer fleet.Close()
			if err := show(cmd.OutOrStdout(), fleet.Result(), asJSON); err != nil {
				return err
			}
			return fleet.Hold(cmd.Context(), hold)
		},
	}
	f := cmd.Flags()
	addServerFlags(f, words, &config.Address, &config.Username, &config.Password)
	f.StringVar(&config.Topic, words.place, "idle", "prefix of the "+words.place+" that each connection uses")
	f.IntVar(&config.Connections, "connections", 10000, "number of connections")
	f.IntVar(&config.Sources, "sources", 1, "loopback source addresses to spread the connections over")
	f.IntVar(&config.FirstSource, "first-source", 1, "number of the first of them: 1 is 127.0.0.1")
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
