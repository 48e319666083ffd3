package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// NewDeleteCommand returns the command `delete`, which takes back what the API has declared, and ends what goes on.
func NewDeleteCommand() *cobra.Command {
	var (
		s   server
		dry bool
	)
	cmd := &cobra.Command{
		Use:   "delete TYPE NAME",
		Short: "Take back what was declared, and end sessions and subscriptions",
		Long: `Take back a tenant, address, role, user or webhook; expire an MQTT session; or end a durable subscription, TYPE subscription
and NAME topic::name, with the messages in it. What a tenant or queue has stored otherwise stays stored.`,
		Example: `  manifold delete user ann --tenant acme
  manifold delete session pump-7
  manifold delete subscription 'telemetry/#::archive'`,
		Args: cobra.ExactArgs(2),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "subscription" {
				if k, err := kindOf(args[0]); err != nil {
					return err
				} else if k.removed == "" {
					return fmt.Errorf("%s cannot be deleted", k.name)
				}
			} else if !strings.Contains(args[1], "::") {
				return fmt.Errorf("%q does not look like topic::name", args[1])
			}
			return s.prepare(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			query := make(url.Values)
			k, err := kindOf(args[0])
			where, done := "", "removed"
			if args[0] == "subscription" {
				filter, name, _ := strings.Cut(args[1], "::")
				k, where = &kind{others: []string{"subscription"}}, s.of("subscriptions", filter, name)
			} else if err != nil {
				return err
			} else {
				where, done = k.one(&s, args[1]), k.removed
			}
			if dry {
				if !k.declared {
					return fmt.Errorf("--dry-run is for what is declared")
				}
				query.Set("dryRun", "true")
			}
			if err := s.ask(cmd.Context(), http.MethodDelete, where, query, nil, nil); err != nil {
				return named(k, args[1], err)
			}
			if dry {
				done = "would be " + done
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s\n", k.single(), args[1], done)
			return nil
		},
		ValidArgsFunction: s.completeThings,
	}
	s.addFlags(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "change nothing")
	return cmd
}
