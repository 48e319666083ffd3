package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/broker/archive"
)

// newStoreCommand makes the commands for a data directory that no gateway uses.
func newStoreCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Look after stored messages while no gateway runs",
	}
	f := cmd.PersistentFlags()
	f.StringVarP(&s.file, "config", "c", "", "configuration `FILE` that names the folder; the quickstart's when not given")
	f.StringVar(&s.dataDir, "data", "", "folder `DIR` of stored messages; overrules dataDir")
	cmd.AddCommand(
		storeCommand(&s, "check", "Read everything, and name what cannot be trusted", checkStore),
		storeCommand(&s, "stats", "Count what is there", storeStats),
		storeCommand(&s, "export", "Write everything to standard output, as lines of text", exportStore),
		storeCommand(&s, "import", "Read an export from standard input into a new folder", importStore),
	)
	return cmd
}

func storeCommand(s *settings, name, short string, do func(*cobra.Command, archive.Directory) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.load(cmd)
			if err != nil {
				return failure{exitUsage, err}
			}
			d := archive.Directory{Dir: c.DataDir, Progress: progress(cmd.ErrOrStderr())}
			if err := do(cmd, d); err != nil {
				return failure{exitFailed, err}
			}
			return nil
		},
	}
}

// progress writes a line now and then, so that who waits knows that something happens.
func progress(w io.Writer) func(records int, bytes int64) {
	const pause = 5 * time.Second
	said := time.Now()
	return func(records int, bytes int64) {
		if records%1024 == 0 && time.Since(said) >= pause {
			said = time.Now()
			fmt.Fprintf(w, "%d records, %d MiB\n", records, bytes>>20)
		}
	}
}

func checkStore(cmd *cobra.Command, d archive.Directory) error {
	records, err := d.Check(cmd.OutOrStdout())
	if err == nil {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, %d records\n", d.Dir, records)
	}
	return err
}

// mostQueues is how many queues stats names.
const mostQueues = 20

func storeStats(cmd *cobra.Command, d archive.Directory) error {
	s, err := d.Stats()
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s: schema %d, closed properly %t, %d bytes on disk\n", d.Dir, s.Schema, s.CleanStop, s.DiskBytes)
	for _, kind := range slices.Sorted(maps.Keys(s.Kinds)) {
		fmt.Fprintf(w, "  %-9s %12d records %16d bytes\n", kind, s.Kinds[kind].Records, s.Kinds[kind].Bytes)
	}
	if s.Corrupt > 0 {
		fmt.Fprintf(w, "  %-9s %12d records: see manifold store check\n", "corrupt", s.Corrupt)
	}
	for i, q := range s.Queues {
		if i == mostQueues {
			fmt.Fprintf(w, "  and %d more\n", len(s.Queues)-i)
			break
		}
		fmt.Fprintf(w, "  %s %s: %d messages, %d bytes\n", q.Tenant, q.Name, q.Messages.Records, q.Messages.Bytes)
	}
	return nil
}

func exportStore(cmd *cobra.Command, d archive.Directory) error {
	records, err := d.Export(cmd.OutOrStdout())
	fmt.Fprintf(cmd.ErrOrStderr(), "%d records exported\n", records)
	return err
}

func importStore(cmd *cobra.Command, d archive.Directory) error {
	if _, err := os.Stat(d.Dir); err == nil {
		return fmt.Errorf("%s is there: import makes a new folder", d.Dir)
	}
	records, err := d.Import(cmd.InOrStdin())
	if err != nil {
		return fmt.Errorf("%w; what is in %s is of no use", err, d.Dir)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d records imported\n", records)
	return nil
}
