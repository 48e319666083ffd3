package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const maxCredit = 10_000

// NewReceiveCommand returns the command `receive`. It prints messages to the command's output, and ends with its
// context.
func NewReceiveCommand() *cobra.Command {
	var (
		r                                  receiving
		where                              serverFlags
		subscription                       string
		accepts, rejects, releases, modify bool
		full, asJSON                       bool
	)
	cmd := &cobra.Command{
		Use:   "receive ADDRESS",
		Short: "Receive messages over AMQP 1.0",
		Long: `Receive messages from an address over AMQP 1.0, and print the body of each one on a line.

A message is settled after it has been printed. It ends after --count messages, after a silence of --timeout, or when it
is interrupted; the exit code is 1 if it ends before the count is reached.

An address that stores nothing and a topic may be a filter: * stands for one level, # for all the rest. On a topic,
--subscription keeps what comes while nobody is there.`,
		Example: `  manifold receive jobs
  manifold receive jobs --count 1 --timeout 5s
  manifold receive 'telemetry/#' -v
  manifold receive 'telemetry/#' --subscription archive --json | jq -r .body
  manifold receive jobs --timeout 1s --reject`,
		Args: cobra.ExactArgs(1),
		PreRunE: func(cmd *cobra.Command, args []string) (err error) {
			if r.server, err = where.server(); err != nil {
				return err
			}
			r.address, r.source = args[0], args[0]
			if cmd.Flags().Changed("subscription") {
				r.source += "::" + subscription
			}
			if err := r.validate(); err != nil {
				return err
			}
			switch {
			case rejects:
				r.settle = reject
			case releases:
				r.settle = release
			case modify:
				r.settle = fail
			default:
				r.settle = accept
			}
			switch {
			case asJSON:
				r.format = formatJSON
			case full:
				r.format = formatFull
			default:
				r.format = formatBody
			}
			r.out = cmd.OutOrStdout()
			if !isTerminal(r.out) { // there the messages themselves show how far it is
				r.progress = newProgress(cmd.ErrOrStderr(), r.count)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context()) },
	}
	f := cmd.Flags()
	where.addFlags(cmd)
	f.IntVar(&r.count, "count", 0, "`N` messages after which it ends; 0 is until it is interrupted")
	f.DurationVar(&r.timeout, "timeout", 0, "silence after which it ends, such as 5s; 0 is never")
	f.IntVar(&r.credit, "credit", 100, "`N` messages that the server may send ahead")
	f.StringVar(&subscription, "subscription", "", "`NAME` of a durable subscription of a topic")
	f.BoolVar(&accepts, "accept", false, "accept each message; the default")
	f.BoolVar(&rejects, "reject", false, "reject each message: it is of no use to anybody")
	f.BoolVar(&releases, "release", false, "release each message: it goes to somebody else, or comes again")
	f.BoolVarP(&full, "verbose", "v", false, "print the address and the properties before each body")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line, with everything that the message says")
	f.BoolVar(&modify, "modify", false, "modify each message: it goes back, and this counts as a failed attempt")
	f.BoolVar(&r.settled, "settled", false,
		"take messages as settled: faster, and what is on its way when this ends is lost")
	cmd.MarkFlagsMutuallyExclusive("accept", "reject", "release", "modify", "settled")
	cmd.MarkFlagsMutuallyExclusive("verbose", "json")
	return cmd
}

// validate reports the first flag that is out of its range.
func (r *receiving) validate() error {
	_, subscription, named := strings.Cut(r.source, "::")
	switch {
	case r.address == "":
		return errors.New("ADDRESS is empty")
	case named && (subscription == "" || strings.ContainsAny(subscription, ":/")):
		return fmt.Errorf("%q is no name of a subscription: it must not be empty nor contain : or /", subscription)
	case r.count < 0:
		return fmt.Errorf("--count %d is below 0", r.count)
	case r.timeout < 0:
		return fmt.Errorf("--timeout %v is below 0", r.timeout)
	case r.credit < 1 || r.credit > maxCredit:
		return fmt.Errorf("--credit %d is not from 1 to %d", r.credit, maxCredit)
	default:
		return nil
	}
}
