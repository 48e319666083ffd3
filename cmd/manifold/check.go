package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
)

func newCheckCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check -c FILE",
		Short: "Check a configuration without running it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return errors.New("check needs a file: manifold check -c FILE")
			}
			c, err := config.Load(file)
			if err != nil {
				return failure{exitUsage, err}
			}
			describe(cmd.OutOrStdout(), file, &c)
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration `FILE`")
	return cmd
}

// describe says what a configuration comes to.
func describe(w io.Writer, file string, c *config.Config) {
	fmt.Fprintf(w, "%s: ok\n", file)
	fmt.Fprintf(w, "  listens at %s, stores in %s\n", c.Listen, c.DataDir)
	for _, l := range c.Listeners() {
		if l.Enabled {
			fmt.Fprintf(w, "  %s at port %d\n", l.Name, l.Port)
		}
	}
	for _, t := range c.AllTenants() {
		counts := make(map[addressing.Kind]int)
		for _, a := range t.Addresses {
			counts[a.Kind]++
		}
		fmt.Fprintf(w, "  tenant %s: %d anycast, %d broadcast, %d queue, %d topic; %d users; anonymous %t\n", t.Name,
			counts[addressing.Anycast], counts[addressing.Broadcast], counts[addressing.Queue], counts[addressing.Topic],
			len(t.Users), t.Anonymous)
	}
}
