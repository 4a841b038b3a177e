package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/bench"
)

func benchHouseCmd() *cobra.Command {
	var c bench.HouseConfig
	var dir, corpus, profile string
	cmd := &cobra.Command{
		Use:   "house",
		Short: "A node with its people: posting, own listings, full records, signing in, audit log, memory, restart",
		Long: "Measure what a node keeps for itself: organisations and people are settled, who post listings with full records in two\n" +
			"at a time, each published without review; then the full node is posted to, restarted, read and signed in to.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			tuneMemory(0)
			if c.Dir, err = os.MkdirTemp(dir, "tmh-bench-"); err != nil {
				return err
			}
			defer os.RemoveAll(c.Dir)
			c.Corpus = bench.Invented()
			if corpus != "" {
				if c.Corpus, err = bench.ReadCorpus(corpus); err != nil {
					return err
				}
			}
			c.Out, c.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return profiled(profile, func() error { return bench.House(cmd.Context(), c) })
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder below which data is written and removed again (default the system's temporary one)")
	cmd.Flags().IntVar(&c.Listings, "listings", 100_000, "how many listings with full records")
	cmd.Flags().IntVar(&c.Users, "users", 10_000, "how many people")
	cmd.Flags().IntVar(&c.Organisations, "organisations", 1000, "how many organisations")
	cmd.Flags().IntVar(&c.Questions, "questions", 500, "how many questions of each kind, for the latencies")
	cmd.Flags().BoolVar(&c.Quick, "quick", false, "fill the node without looking for duplicates of each listing; what is posted at the full size is looked for")
	cmd.Flags().BoolVar(&c.NoIndex, "no-index", false, "leave out the match index, and the suspicion of duplicates with it")
	cmd.Flags().StringVar(&corpus, "corpus", "", "JSON Lines with title, objective and description to take texts from (default invented words)")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file to write a CPU profile to")
	return cmd
}
