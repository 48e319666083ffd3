package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
)

const maxInFlight = 4096

// NewSendCommand returns the command `send`. It reads from the command's input, prints to its output, and ends with
// its context.
func NewSendCommand() *cobra.Command {
	var (
		s      sending
		d      draft
		where  serverFlags
		file   string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "send ADDRESS [BODY]",
		Short: "Send messages over AMQP 1.0",
		Long: `Send messages to an address over AMQP 1.0, and wait until each one is accepted.

The body is BODY, or the contents of --file, or else each line of standard input makes one message. Any outcome other
than accepted is an error: sending stops, the messages in flight are waited for, and the exit code is 1.

A queue accepts a message when it is on disk, a topic when its durable subscriptions have it, an anycast address when a
consumer has accepted it, and a broadcast address when it has been handed to everybody who is there.`,
		Example: `  manifold send jobs 'sweep the floor'
  manifold send commands/door open --timeout 5s --reply-to answers
  manifold send alerts --file report.json --content-type application/json --property severity=high
  seq 1000 | manifold send jobs --json
  manifold send jobs tick --count 100000 --in-flight 500`,
		Args: cobra.RangeArgs(1, 2),
		PreRunE: func(cmd *cobra.Command, args []string) (err error) {
			if s.server, err = where.server(); err != nil {
				return err
			}
			s.address = args[0]
			if s.message, err = d.message(s.address); err != nil {
				return err
			}
			if err := s.validate(); err != nil {
				return err
			}
			total := s.count
			switch {
			case len(args) == 2 && file != "":
				return errors.New("BODY and --file exclude each other")
			case len(args) == 2:
				s.bodies = oneBody([]byte(args[1]))
			case file != "":
				body, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				s.bodies = oneBody(body)
			default:
				s.bodies, total = lineBodies(cmd.InOrStdin()), 0
			}
			s.progress = newProgress(cmd.ErrOrStderr(), total)
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := s.run(cmd.Context())
			return errors.Join(err, s.report(cmd.OutOrStdout(), asJSON, err == nil))
		},
	}
	f := cmd.Flags()
	where.addFlags(cmd)
	f.StringVar(&file, "file", "", "`FILE` whose contents are the body")
	f.IntVar(&s.count, "count", 1, "`N` times that each message is sent")
	d.addFlags(cmd)
	f.BoolVar(&s.settled, "settled", false, "ask for no outcome: faster, and nobody says what was lost")
	f.IntVar(&s.inFlight, "in-flight", 100, "`N` messages that may wait for their outcome at once")
	f.DurationVar(&s.timeout, "timeout", 10*time.Second,
		"how long to wait for the server, for credit, and for each outcome")
	f.BoolVar(&asJSON, "json", false, "print the summary as JSON, also when sending fails")
	return cmd
}

// validate reports the first flag that is out of its range.
func (s *sending) validate() error {
	switch {
	case s.address == "":
		return errors.New("ADDRESS is empty")
	case s.count < 1:
		return fmt.Errorf("--count %d is not above 0", s.count)
	case s.inFlight < 1 || s.inFlight > maxInFlight:
		return fmt.Errorf("--in-flight %d is not from 1 to %d", s.inFlight, maxInFlight)
	case s.timeout <= 0:
		return fmt.Errorf("--timeout %v is not above 0", s.timeout)
	default:
		return nil
	}
}

// report prints the summary. As text it says only what went well: the rest is in the error.
func (s *sending) report(w io.Writer, asJSON, well bool) error {
	switch {
	case asJSON:
		return s.summary.writeJSON(w)
	case well:
		return s.summary.writeText(w, s.settled)
	default:
		return nil
	}
}
