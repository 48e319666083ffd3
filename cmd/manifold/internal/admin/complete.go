package admin

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// patience is how long a shell waits for names.
const patience = 2 * time.Second

// completeThings completes TYPE and NAME.
func (s *server) completeThings(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return kindNames(), cobra.ShellCompDirectiveNoFileComp
	case 1:
		return s.complete(cmd.Context(), args[0])
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func (s *server) completeQueues(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return s.complete(cmd.Context(), "queues")
}

// complete gives the names of the first things of a kind.
func (s *server) complete(ctx context.Context, name string) ([]string, cobra.ShellCompDirective) {
	k, err := kindOf(name)
	if err != nil || s.prepare(nil, nil) != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	s.patience = patience
	things, _, err := s.pages(ctx, k.list(s), nil, 1000)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, len(things))
	for i, thing := range things {
		names[i] = k.nameOf(decoded(thing))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
