package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/cmd/manifold/internal/logging"
	"github.com/manifoldmq/manifold/gateway"
	"github.com/manifoldmq/manifold/gateway/config"
)

// settings are the flags that choose and overrule a configuration.
type settings struct {
	file       string
	dataDir    string
	listen     string
	portOffset int
}

func newRunCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a gateway until SIGINT or SIGTERM",
		Long: `Run a gateway until SIGINT or SIGTERM. With SIGHUP it reads its configuration again and takes over the settings of
addresses.

Without a file it listens on this machine only, at MQTT 1883, AMQP 5672, HTTP 8080 and admin 8081, and declares
telemetry/# (topic), jobs (queue), commands/# (anycast) and alerts (broadcast) for everybody.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.load(cmd)
			if err != nil {
				return failure{exitUsage, err}
			}
			level := new(slog.LevelVar)
			log, endLog := logging.New(cmd.ErrOrStderr(), c.Log, level)
			defer endLog()
			ctx, stop := context.WithCancel(cmd.Context())
			var chores sync.WaitGroup
			defer chores.Wait()
			defer stop()
			hangups, changes := make(chan os.Signal, 1), make(chan config.Config)
			signal.Notify(hangups, syscall.SIGHUP) // before anybody hears that the gateway is ready
			defer signal.Stop(hangups)
			chores.Go(func() { s.follow(ctx, cmd, log, hangups, changes) })
			chores.Go(func() { keepHeap(ctx) })
			manager := newServiceManager()
			chores.Go(func() { manager.awaitStop(ctx, log) })
			err = gateway.Run(ctx, c, gateway.Process{
				Log: log, Level: level, Changes: changes,
				Reread: func() (config.Config, error) { return s.load(cmd) },
				Ready: func(doors []gateway.Endpoint) {
					gateway.WriteSummary(cmd.OutOrStdout(), doors)
					manager.ready(log)
				},
			})
			if err != nil {
				return failure{exitFailed, err}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&s.file, "config", "c", "", "configuration `FILE`; the quickstart's when not given")
	f.StringVar(&s.dataDir, "data", "", "folder `DIR` for stored messages; overrules dataDir")
	f.StringVar(&s.listen, "listen", "", "`HOST` to listen at; overrules listen")
	f.IntVar(&s.portOffset, "port-offset", 0, "`N` to add to every port; overrules portOffset")
	return cmd
}

// follow reads the configuration again with each hangup, until ctx ends. One that is not valid is logged, and what holds
// goes on.
func (s *settings) follow(
	ctx context.Context, cmd *cobra.Command, log *slog.Logger, hangups <-chan os.Signal, changes chan<- config.Config,
) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		c, err := s.load(cmd)
		if err != nil {
			log.Error("the configuration is not read again", "err", err)
			continue
		}
		select {
		case changes <- c:
		case <-ctx.Done():
			return
		}
	}
}

// load reads the configuration and lets the flags that were given overrule it.
func (s *settings) load(cmd *cobra.Command) (config.Config, error) {
	c, err := s.read()
	if err != nil {
		return c, err
	}
	given := cmd.Flags().Changed
	if given("data") {
		c.DataDir = s.dataDir
	}
	if given("listen") {
		c.Listen = s.listen
	}
	if given("port-offset") {
		c.PortOffset = s.portOffset
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("with the flags given: %w", err)
	}
	return c, nil
}

func (s *settings) read() (config.Config, error) {
	if s.file == "" {
		return config.Quickstart()
	}
	return config.Load(s.file)
}
