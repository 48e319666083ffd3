package stat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/manifoldmq/manifold/cmd/manifold/internal/client"
)

// NewTopCommand returns the command `top`. It prints to its output until its context ends, which is no failure.
func NewTopCommand() *cobra.Command {
	var (
		where    client.Connection
		interval time.Duration
		timeout  time.Duration
		times    int
		t        top
	)
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show the busiest addresses of a gateway, live",
		Long: `Show the busiest addresses of a tenant, and how the gateway is, until it is interrupted.

On a terminal each look takes the place of the one before; elsewhere one follows the other. What links of now have carried
is all that is known of addresses that store nothing. Rights are those of "manifold stat".`,
		Example: `  manifold top
  manifold top --interval 10s --count 6 > an-idle-minute.txt`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case interval < 100*time.Millisecond:
				return fmt.Errorf("--interval %v is below 100ms", interval)
			case times < 0:
				return fmt.Errorf("--count %d is below 0", times)
			case t.most < 1:
				return fmt.Errorf("--limit %d is not above 0", t.most)
			case timeout <= 0:
				return fmt.Errorf("--timeout %v is not above 0", timeout)
			}
			return where.Check()
		},
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			if t.management, err = openManagement(ctx, &where, timeout); err == nil {
				defer t.management.close()
				err = t.watch(ctx, newScreen(cmd.OutOrStdout()), interval, times)
			}
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil
			}
			return err
		},
	}
	f := cmd.Flags()
	f.DurationVar(&interval, "interval", 2*time.Second, "`TIME` between two looks")
	f.IntVar(&times, "count", 0, "`N` looks; 0 goes on until it is interrupted")
	f.IntVar(&t.most, "limit", 2000, "`N` addresses that are asked for")
	f.DurationVar(&timeout, "timeout", 10*time.Second, "how long to wait for each answer")
	where.AddFlags(cmd)
	return cmd
}

// watch shows again and again, as often as times says, which is without end for 0.
func (t *top) watch(ctx context.Context, s screen, interval time.Duration, times int) error {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for n := 1; ; n++ {
		if err := s.turn(n == 1); err != nil {
			return err
		}
		if err := t.show(ctx, s.w, s.height()); err != nil {
			return err
		}
		if n == times {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
	}
}

// screen is where top shows.
type screen struct {
	w        io.Writer
	terminal *os.File // nil when it is none
}

func newScreen(w io.Writer) screen {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return screen{w, file}
	}
	return screen{w: w}
}

// plainHeight is how many lines a look has where there is no terminal.
const plainHeight = 40

// height is how many lines there is room for.
func (s screen) height() int {
	if s.terminal == nil {
		return plainHeight
	}
	_, height, err := term.GetSize(int(s.terminal.Fd()))
	if err != nil {
		return plainHeight
	}
	return height - 1 // the cursor's
}

// turn makes room for the next look: it clears a terminal (ECMA-48: CUP, ED), and elsewhere leaves a line empty.
func (s screen) turn(first bool) (err error) {
	switch {
	case s.terminal != nil:
		_, err = io.WriteString(s.w, "\x1b[H\x1b[2J")
	case !first:
		_, err = io.WriteString(s.w, "\n")
	}
	return err
}
