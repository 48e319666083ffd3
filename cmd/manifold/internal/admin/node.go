package admin

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

// simple returns a command that asks for one thing and says that it was done.
func simple(use, short string, args cobra.PositionalArgs, do func(*server, *cobra.Command, []string) error) *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use: use, Short: short, Args: args, PreRunE: s.prepare,
		RunE: func(cmd *cobra.Command, args []string) error { return do(&s, cmd, args) },
	}
	s.addFlags(cmd)
	return cmd
}

// NewConnectionsCommand returns the command `connections`.
func NewConnectionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "connections", Short: "Send clients away"}
	cmd.AddCommand(simple("close ID", "Send a client away; 'manifold get connections' shows the ids", cobra.ExactArgs(1),
		func(s *server, cmd *cobra.Command, args []string) error {
			if err := s.ask(cmd.Context(), http.MethodDelete, path("connections", args[0]), nil, nil, nil); err != nil {
				return fmt.Errorf("connection %s: %w", args[0], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "connection %s closed\n", args[0])
			return nil
		}))
	return cmd
}

// NewTenantCommand returns the command `tenant`.
func NewTenantCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Enable and disable tenants"}
	for action, short := range map[string]string{
		"enable": "Let the clients of a tenant in", "disable": "Send the clients of a tenant away, and let none in",
	} {
		cmd.AddCommand(simple(action+" NAME", short, cobra.ExactArgs(1), func(s *server, cmd *cobra.Command, args []string) error {
			if err := s.ask(cmd.Context(), http.MethodPost, path("tenants", args[0], action), nil, nil, nil); err != nil {
				return fmt.Errorf("tenant %s: %w", args[0], err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "tenant %s %sd\n", args[0], action)
			return nil
		}))
	}
	return cmd
}

// NewNodeCommand returns the command `node`, which is about the gateway itself.
func NewNodeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "node", Short: "Look at a gateway itself, and have it drain or read its configuration again"}
	cmd.AddCommand(
		simple("show", "Show the nodes of the network", cobra.NoArgs, func(s *server, cmd *cobra.Command, _ []string) error {
			var answer any
			if err := s.ask(cmd.Context(), http.MethodGet, path("topology"), nil, nil, &answer); err != nil {
				return err
			}
			return writeYAML(cmd.OutOrStdout(), answer)
		}),
		simple("reload", "Have the configuration file read again", cobra.NoArgs, func(s *server, cmd *cobra.Command, _ []string) error {
			return s.order(cmd, "reload", "the configuration is taken over")
		}),
		simple("drain", "Stop the process: clients may finish until drainTimeout", cobra.NoArgs, func(s *server, cmd *cobra.Command, _ []string) error {
			return s.order(cmd, "drain", "the gateway is stopping")
		}),
		simple("log-level [LEVEL]", "Show or set how much is logged: debug, info, warn or error", cobra.MaximumNArgs(1),
			func(s *server, cmd *cobra.Command, args []string) error {
				method, body := http.MethodGet, []byte(nil)
				if len(args) == 1 {
					method, body = http.MethodPut, fmt.Appendf(nil, `{"level":%q}`, args[0])
				}
				var answer struct{ Level string }
				if err := s.ask(cmd.Context(), method, path("log"), nil, body, &answer); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), answer.Level)
				return nil
			}),
	)
	return cmd
}

// order has the gateway do something.
func (s *server) order(cmd *cobra.Command, what, done string) error {
	if err := s.ask(cmd.Context(), http.MethodPost, path(what), nil, nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), done)
	return nil
}
