package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/bench"
)

func benchCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure this build on this machine"}
	cmd.AddCommand(
		measure("import", "Import at the origin: rate, size, memory, restart", bench.Import),
		measure("replica", "Catching up over the network: rate, bytes on the wire, memory", bench.Replica),
		benchMatchCmd(),
		benchHouseCmd(),
		benchDoorsCmd(),
		benchIntakeCmd(),
	)
	return cmd
}

func measure(name, short string, run func(context.Context, bench.Config) error) *cobra.Command {
	var dir, corpus, profile string
	var listings int
	var noIndex bool
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tuneMemory(0)
			tmp, err := os.MkdirTemp(dir, "tmh-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(tmp)
			c := bench.Config{Dir: tmp, Listings: listings, NoIndex: noIndex, Out: cmd.OutOrStdout(), Progress: cmd.ErrOrStderr()}
			if corpus == "" {
				c.Corpus = bench.Invented()
			} else if c.Corpus, err = bench.ReadCorpus(corpus); err != nil {
				return err
			}
			return profiled(profile, func() error { return run(cmd.Context(), c) })
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder below which data is written and removed again (default the system's temporary one)")
	cmd.Flags().IntVar(&listings, "listings", 100_000, "how many listings")
	cmd.Flags().BoolVar(&noIndex, "no-index", false, "leave out the match index, to measure all the rest")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file to write a CPU profile to")
	cmd.Flags().StringVar(&corpus, "corpus", "", "JSON Lines with title, objective and description to take texts from (default invented words)")
	return cmd
}

// profiled runs f and writes a CPU profile of it to a file, if one is named.
func profiled(path string, f func() error) error {
	if path == "" {
		return f()
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}

// needs are real texts beside the source tree, where the measurements of the documentation were made.
const needs = "../shared/data/sbir_needs/needs.jsonl"

func benchMatchCmd() *cobra.Command {
	var c bench.MatchConfig
	var dir, corpus, profile string
	cmd := &cobra.Command{
		Use:   "match",
		Short: "The match engine alone: build, size, memory, start-up, latencies, also while changes come in",
		Long: "Measure the match engine without a node round it: varied listings are made of a file of real texts, indexed,\n" +
			"closed, opened and asked. With --peer bleve gets the same documents and questions in a process of its own, and the\n" +
			"last line is\n  ratio listing p50 bleve/tmh N",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			tuneMemory(0)
			if corpus == "" {
				if _, err := os.Stat(needs); err != nil {
					return fmt.Errorf("%s is absent: name a file of JSON Lines with title, objective and description by --corpus", needs)
				}
				corpus = needs
			}
			if c.Corpus, err = bench.ReadCorpus(corpus); err != nil {
				return err
			}
			if c.Dir, err = os.MkdirTemp(dir, "tmh-bench-"); err != nil {
				return err
			}
			defer os.RemoveAll(c.Dir)
			c.Out, c.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return profiled(profile, func() error { return bench.Match(cmd.Context(), c) })
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder below which data is written and removed again (default the system's temporary one)")
	cmd.Flags().IntVar(&c.Listings, "listings", 100_000, "how many listings")
	cmd.Flags().IntVar(&c.Queries, "queries", 300, "how many questions of each kind")
	cmd.Flags().IntVar(&c.Changes, "changes", 500, "how many changes a second are admitted in the second round, 0 for no such round")
	cmd.Flags().StringVar(&corpus, "corpus", "", "JSON Lines with title, objective and description to take texts from (default "+needs+")")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file to write a CPU profile to")
	cmd.Flags().StringVar(&c.Peer, "peer", "", "measure bleve beside: its program, or the folder of its source (default of the bare flag "+bench.PeerSource+")")
	cmd.Flags().Lookup("peer").NoOptDefVal = bench.PeerSource
	return cmd
}
