package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// NewQueueCommand returns the command `queue`, which is about the messages of queues and subscriptions.
func NewQueueCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Look at messages of queues and subscriptions, and drop, move, copy and replay them",
		Long: `Look at messages of queues and subscriptions, and drop, move, copy and replay them. NAME is that of a queue, or topic::name of a
durable subscription. Messages that consumers hold are left alone.`,
	}
	cmd.AddCommand(
		newBrowseCommand(),
		newWorkCommand("purge NAME", "Drop messages", "purge", "dropped"),
		newWorkCommand("replay NAME", "Put dead or expired messages back to where they came from", "replay", "replayed"),
		newWorkCommand("move NAME TO", "Put messages into another queue", "move", "moved"),
		newWorkCommand("copy NAME TO", "Put copies of messages into another queue", "copy", "copied"),
	)
	return cmd
}

// newWorkCommand returns a command that does something with messages.
func newWorkCommand(use, short, action, done string) *cobra.Command {
	var (
		s        server
		selector string
		most     int
	)
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: cobra.ExactArgs(strings.Count(use, " ")),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if most < 0 {
				return fmt.Errorf("--max %d is below 0", most)
			}
			return s.prepare(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			query := make(url.Values)
			if selector != "" {
				query.Set("selector", selector)
			}
			if most > 0 {
				query.Set("max", strconv.Itoa(most))
			}
			if len(args) == 2 {
				query.Set("to", args[1])
			}
			var answer struct{ Messages int }
			if err := s.ask(cmd.Context(), http.MethodPost, s.of("queues", args[0], action), query, nil, &answer); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			messages := "messages"
			if answer.Messages == 1 {
				messages = "message"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d %s %s\n", answer.Messages, messages, done)
			return nil
		},
		ValidArgsFunction: s.completeQueues,
	}
	s.addFlags(cmd)
	cmd.Flags().StringVar(&selector, "selector", "", "JMS `SELECTOR` of messages, such as \"severity = 'high'\"; all if not given")
	cmd.Flags().IntVar(&most, "max", 0, "the first `N` messages at most; 0 is all")
	return cmd
}

func newBrowseCommand() *cobra.Command {
	var (
		s        server
		selector string
		most     int
		form     string
	)
	cmd := &cobra.Command{
		Use: "browse NAME", Short: "Look at messages, and take none",
		Args: cobra.ExactArgs(1),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if most < 1 {
				return errors.New("--max is not above 0")
			}
			if err := oneOf("--output", form, forms[:2]); err != nil {
				return err
			}
			return s.prepare(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			query := make(url.Values)
			if selector != "" {
				query.Set("selector", selector)
			}
			messages, _, err := s.pages(cmd.Context(), s.of("queues", args[0], "messages"), query, most)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if form == "json" {
				return writeJSON(cmd.OutOrStdout(), messages)
			}
			return writeMessages(cmd, messages)
		},
		ValidArgsFunction: s.completeQueues,
	}
	s.addFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&selector, "selector", "", "JMS `SELECTOR` of messages; all if not given")
	f.IntVar(&most, "max", 20, "the first `N` messages at most")
	f.StringVarP(&form, "output", "o", "table", "`FORM`: table, json")
	return cmd
}

// maxShown is how many characters of a body a table shows.
const maxShown = 60

func writeMessages(cmd *cobra.Command, messages []json.RawMessage) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "POSITION\tTO\tID\tTYPE\tSIZE\tTRIES\tBODY")
	for _, m := range messages {
		v := decoded(m)
		body := []rune(text(member(v, "body")))
		if len(body) > maxShown {
			body = append(body[:maxShown], []rune("...")...)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", text(member(v, "position")), printable(text(member(v, "address"))),
			printable(text(member(v, "messageId"))), printable(text(member(v, "contentType"))), text(member(v, "size")),
			text(member(v, "attempts")), printable(string(body)))
	}
	return table.Flush()
}
