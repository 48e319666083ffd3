package load

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var httpWords = words{place: "address", publisher: "sender", subscriber: "receiver", layout: string(Pairs),
	port: "8080", window: defaultRequests, outstanding: defaultAhead}

// NewHTTPCommand returns the command `http`, the like of `mqtt` for HTTP/1.1 and HTTP/2; see NewMQTTCommand.
func NewHTTPCommand() *cobra.Command {
	var (
		config                    Config
		http2, unconfirmed, locks bool
	)
	cmd := newRunCommand(&config, httpWords, func(*pflag.FlagSet) {
		config.Protocol, config.PublishQoS, config.SubscribeQoS = httpVersion(http2), 1, 0
		if unconfirmed {
			config.PublishQoS = 0
		}
		if locks {
			config.SubscribeQoS = 1
		}
	})
	cmd.Use = "http"
	cmd.Short = "Put HTTP traffic on a server and measure it"
	cmd.Long = cmd.Short + `.

Senders post messages, and have up to --window requests under way at a time: over HTTP/1.1 each has a connection, over
HTTP/2 all of a sender share one. Receivers watch a stream of server-sent events, or with --lock take a message under a
lock, delete it and take the next, as is right for a queue. An anycast address refuses what comes while nobody waits, so
with --lock it needs clearly more receivers than there are requests at a time.

Every message is numbered; what is lost, doubled or refused is counted and makes the command fail, as does what comes
out of order as long as --window is 1: requests side by side have no order. Rates and CPU times are those of the measured
time, after --warm-up. Latency counts from when a message was due by --rate, so that a server which stops for a while is
charged for all that had to wait.`
	cmd.Example = `  manifold bench http --address telemetry/bench --senders 2 --receivers 2 --window 16 --http2
  manifold bench http --address telemetry/bench --rate 1000 --latency
  manifold bench http --address jobs --layout workers --receivers 4 --lock
  manifold bench http --address jobs --layout mesh --receivers 0 --window 100 --messages 100000`
	f := cmd.Flags()
	addHTTPFlags(f, &config.Tenant, &http2)
	f.BoolVar(&unconfirmed, "unconfirmed", false, "send with ack=none, and ask for no outcome")
	f.BoolVar(&locks, "lock", false, "receive under a lock and delete, instead of watching a stream; for pairs and workers")
	cmd.AddCommand(newHTTPIdleCommand())
	return cmd
}

func newHTTPIdleCommand() *cobra.Command {
	var (
		config IdleConfig
		http2  bool
	)
	idle := newIdleCommand(&config, httpWords)
	idle.Short = "Open many connections with a silent stream each and hold them"
	idle.Example = `  manifold bench http idle --address telemetry/idle --connections 5000 --hold 1m`
	idle.PreRun = func(*cobra.Command, []string) { config.Protocol = httpVersion(http2) }
	addHTTPFlags(idle.Flags(), &config.Tenant, &http2)
	return idle
}

func addHTTPFlags(f *pflag.FlagSet, tenant *string, http2 *bool) {
	f.StringVar(tenant, "tenant", defaultTenant, "tenant whose addresses are used")
	f.BoolVar(http2, "http2", false, "speak HTTP/2, with prior knowledge, instead of HTTP/1.1")
}

func httpVersion(http2 bool) Protocol {
	if http2 {
		return HTTP2
	}
	return HTTP
}
