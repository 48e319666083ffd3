package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/dispatch"
)

func newConvertCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "convert QDROUTERD.CONF",
		Short: "Translate the configuration of a Qpid Dispatch Router",
		Long: `Translate the configuration of a Qpid Dispatch Router 1.19 into one of Manifold, which goes to the standard output.
What has no counterpart is listed on the standard error, with its line.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := translate(args[0])
			if err != nil {
				return failure{exitUsage, err}
			}
			text, err := config.Written(&t.Config)
			if err != nil {
				return failure{exitFailed, err}
			}
			writeRemarks(cmd.ErrOrStderr(), t.Remarks)
			if _, err := cmd.OutOrStdout().Write(text); err != nil {
				return failure{exitFailed, err}
			}
			return nil
		},
	}
}

// translate reads the configuration of a Qpid Dispatch Router.
func translate(file string) (dispatch.Translation, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return dispatch.Translation{}, err
	}
	t, err := dispatch.Translate(file, text)
	if err != nil {
		return t, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}

func writeRemarks(w io.Writer, remarks []dispatch.Remark) {
	for _, r := range remarks {
		fmt.Fprintln(w, r)
	}
}
