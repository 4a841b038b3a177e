package main

import (
	"context"
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
			if profile != "" {
				f, err := os.Create(profile)
				if err != nil {
					return err
				}
				defer f.Close()
				if err := pprof.StartCPUProfile(f); err != nil {
					return err
				}
				defer pprof.StopCPUProfile()
			}
			return run(cmd.Context(), c)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder below which data is written and removed again (default the system's temporary one)")
	cmd.Flags().IntVar(&listings, "listings", 100_000, "how many listings")
	cmd.Flags().BoolVar(&noIndex, "no-index", false, "leave out the match index, to measure all the rest")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file to write a CPU profile to")
	cmd.Flags().StringVar(&corpus, "corpus", "", "JSON Lines with title, objective and description to take texts from (default invented words)")
	return cmd
}
