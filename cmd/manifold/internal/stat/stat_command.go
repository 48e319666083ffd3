package stat

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/cmd/manifold/internal/client"
)

// NewStatCommand returns the command `stat`. It prints to its output, and ends with its context.
func NewStatCommand() *cobra.Command {
	var (
		where   client.Connection
		output  string
		limit   int
		timeout time.Duration
		shown   *view
	)
	chosen := make([]bool, len(views))
	cmd := &cobra.Command{
		Use:   "stat",
		Short: "Show what goes on in a gateway",
		Long: `Show what goes on in a gateway: its connections, links, addresses or memory, the network that it is in, or the
whole in numbers.

It asks $management over AMQP, within one tenant. That takes the right manage or admin there; a gateway that only this
machine reaches, and whose tenant is anonymous and has no roles, tells everybody.`,
		Example: `  manifold stat
  manifold stat --addresses
  manifold stat -c -o json
  manifold stat -n
  manifold stat -l --url amqps://gateway.example --user ann@acme --password-file secret`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			shown = &views[0]
			for i, isChosen := range chosen {
				if isChosen {
					shown = &views[i]
				}
			}
			switch {
			case count(chosen) > 1:
				return errors.New("one table at a time")
			case formats[output] == nil:
				return fmt.Errorf("--output %q is not one of %s", output, strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
			case limit < 0:
				return fmt.Errorf("--limit %d is below 0", limit)
			case timeout <= 0:
				return fmt.Errorf("--timeout %v is not above 0", timeout)
			}
			return where.Check()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := openManagement(cmd.Context(), &where, timeout)
			if err != nil {
				return err
			}
			defer m.close()
			t, err := m.query(cmd.Context(), shown.entityType, shown.attributes(), limit)
			if err != nil {
				return err
			}
			return formats[output](cmd.OutOrStdout(), shown, t)
		},
	}
	f := cmd.Flags()
	for i, v := range views {
		f.BoolVarP(&chosen[i], v.flag, v.short, false, "show "+v.about)
	}
	f.StringVarP(&output, "output", "o", "table", "`FORMAT`: table, json, yaml or csv")
	f.IntVar(&limit, "limit", 0, "`N` rows at most; 0 is all of them")
	f.DurationVar(&timeout, "timeout", 10*time.Second, "how long to wait for each answer")
	where.AddFlags(cmd)
	return cmd
}

func count(chosen []bool) (n int) {
	for _, isChosen := range chosen {
		if isChosen {
			n++
		}
	}
	return n
}
