package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/demo"
)

// demoMemory keeps the whole demonstration well below the 4 GiB that it promises.
const demoMemory = 2 << 30

func demoCmd() *cobra.Command {
	var once, verbose bool
	var dir, skip string
	var port int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole federation on this machine, with demonstration content",
		Long: "Run eleven national nodes and a secretariat on this machine, each with its own database, talking to each other over\n" +
			"the loopback interface, with invented listings. Stop it with Ctrl-C.\n\n" +
			"With --once it walks through the main job instead - publish, match elsewhere, lose a node, match again, withdraw -\n" +
			"and exits with 0 where every step held, else with 1.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			debug.SetMemoryLimit(demoMemory)
			if dir == "" {
				tmp, err := os.MkdirTemp("", "tmh-demo-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(tmp)
				dir = tmp
			}
			level := "error"
			if verbose {
				level = "info"
			}
			cfg := demo.Config{Dir: dir, HTTPPort: port, Version: buildVersion(), Log: logger(config.Log{Level: level, Format: "text"})}
			if once {
				cfg.HTTPPort = 0
				return demo.Once(cmd.Context(), cfg, cmd.OutOrStdout(), skip)
			}
			return runDemo(cmd.Context(), cmd, cfg)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "walk through the main job and exit")
	cmd.Flags().StringVar(&dir, "dir", "", "folder for the nodes' data (default a temporary one, removed at the end)")
	cmd.Flags().IntVar(&port, "port", 8400, "port of the first member's pages; the others follow")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "show the nodes' logs")
	cmd.Flags().StringVar(&skip, "skip", "", "with --once: leave out an action (publish, stop or withdraw), so that the step after it fails")
	_ = cmd.Flags().MarkHidden("skip")
	return cmd
}

func runDemo(ctx context.Context, cmd *cobra.Command, cfg demo.Config) error {
	start := time.Now()
	f, err := demo.New(cfg)
	if err != nil {
		return err
	}
	cmd.Printf("Starting %d nodes in %s ...\n", len(f.Members()), cfg.Dir)
	if err := f.StartAll(); err != nil {
		return err
	}
	defer func() {
		if err := f.Close(); err != nil {
			cmd.PrintErrln("stopping:", err)
		}
	}()
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := demo.Await(wait, "all nodes are connected", f.Connected); err != nil {
		return err
	}
	n, err := f.PublishContent(wait)
	if err != nil {
		return err
	}
	cmd.Printf("Published %d listings at their own nodes; waiting until every node has proven all of them ...\n", n)
	if err := demo.Await(wait, "all nodes are equal", func() bool { ok, _ := f.Equal(); return ok }); err != nil {
		_, why := f.Equal()
		return fmt.Errorf("%w: %s", err, why)
	}
	cmd.Printf("Ready after %.1f s. Any node answers for the whole region:\n\n", time.Since(start).Seconds())
	for _, m := range f.Members() {
		cmd.Printf("  %-4s %s\n", m, f.URL(m))
	}
	cmd.Printf("\nTry this in a browser:  %s?q=low-cost+membrane+for+arsenic+in+well+water\n", f.URL("VN"))
	cmd.Printf("How the nodes stand:    %sfederation\n\nCtrl-C stops everything.\n", f.URL("SEC"))
	<-ctx.Done()
	cmd.Println("Stopping ...")
	return nil
}
