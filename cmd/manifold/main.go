// Command manifold is a messaging gateway: devices and applications come in over the protocol they speak and share one
// address space of queues, topics, anycast and broadcast addresses.
//
//	manifold run [-c FILE]    run a gateway
//	manifold check -c FILE    check a configuration
//	manifold convert FILE     translate the configuration of a Qpid Dispatch Router
//	manifold send ADDRESS     send messages over AMQP 1.0
//	manifold receive ADDRESS  receive messages over AMQP 1.0
//	manifold stat             show what goes on in a gateway, over AMQP
//	manifold top              show its busiest addresses, live
//	manifold bench PROTOCOL   measure a server
//	manifold passwd [NAME]    make the credential of a password
//	manifold get TYPE         show what a gateway was told, and what it does
//	manifold describe TYPE NAME
//	manifold apply -f FILE    declare tenants as a file says
//	manifold delete TYPE NAME take back what was declared
//	manifold tenant, queue, connections, node   the rest of the admin API
//	manifold store COMMAND    check, count, export or import stored messages
//	manifold version          say which build this is
//
// Its promises: it ends with 0 after SIGINT or SIGTERM, when clients have been given their time to finish; with 1 when
// something failed while it ran; with 2 when it was called or configured wrongly. A second signal ends it at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/cmd/manifold/internal/admin"
	"github.com/manifoldmq/manifold/cmd/manifold/internal/client"
	"github.com/manifoldmq/manifold/cmd/manifold/internal/load"
	"github.com/manifoldmq/manifold/cmd/manifold/internal/stat"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from then on a signal does what it does to any process
	if isRouter(os.Args[0]) {
		os.Exit(executeRouter(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs the command line args and gives the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "manifold: %v\n", err)
	if failed, ok := errors.AsType[failure](err); ok {
		return failed.code
	}
	return exitUsage
}

// failure is an error with its exit code. An error without one comes from reading the command line.
type failure struct {
	code int
	err  error
}

func (f failure) Error() string { return f.err.Error() }
func (f failure) Unwrap() error { return f.err }

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "manifold",
		Short:         "A messaging gateway for many protocols",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newRunCommand(), newCheckCommand(), newConvertCommand(), newPasswdCommand(), newStoreCommand(), newBenchCommand(),
		newVersionCommand())
	root.AddCommand(failing(client.NewSendCommand()), failing(client.NewReceiveCommand()))
	root.AddCommand(failing(admin.NewGetCommand()), failing(admin.NewDescribeCommand()), failing(admin.NewApplyCommand()),
		failing(admin.NewDeleteCommand()), failing(admin.NewTenantCommand()), failing(admin.NewQueueCommand()),
		failing(admin.NewConnectionsCommand()), failing(admin.NewNodeCommand()))
	root.AddCommand(failing(stat.NewStatCommand()), failing(stat.NewTopCommand()))
	return root
}

func newBenchCommand() *cobra.Command {
	bench := &cobra.Command{Use: "bench", Short: "Measure a server"}
	bench.AddCommand(failing(load.NewMQTTCommand()), failing(load.NewAMQPCommand()), failing(load.NewSTOMPCommand()),
		failing(load.NewHTTPCommand()), failing(load.NewCoAPCommand()))
	return bench
}

// failing makes what goes wrong while a command and its subcommands run a failure.
func failing(cmd *cobra.Command) *cobra.Command {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := run(cmd, args); err != nil {
				return failure{exitFailed, err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		failing(sub)
	}
	return cmd
}
