package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/bench"
)

// offers are real texts beside the source tree, as needs are.
const offers = "../shared/data/sbir_offers/docs.jsonl"

func benchIntakeCmd() *cobra.Command {
	var c bench.IntakeConfig
	var dir, corpus, profile string
	cmd := &cobra.Command{
		Use:   "intake",
		Short: "Files that organisations import: rows a second, memory, the same file again",
		Long: "Measure imports by organisations: CSV and XLSX of invented rows go through a saved mapping into a whole node, as they are,\n" +
			"the same again, and with a tenth changed; then all of it without the match index.",
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
			if !cmd.Flags().Changed("offers") {
				if _, err := os.Stat(offers); err != nil {
					cmd.PrintErrf("%s is absent and left out: name a file of JSON Lines with id, title and text by --offers\n", offers)
					c.Offers = ""
				}
			}
			c.Out, c.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return profiled(profile, func() error { return bench.Intake(cmd.Context(), c) })
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder below which data is written and removed again (default the system's temporary one)")
	cmd.Flags().IntVar(&c.Listings, "rows", 100_000, "how many rows a file has")
	cmd.Flags().BoolVar(&c.NoIndex, "no-index", false, "measure without the match index alone")
	cmd.Flags().StringVar(&c.Offers, "offers", offers, "JSON Lines with id, title and text to import beside; empty for none")
	cmd.Flags().StringVar(&corpus, "corpus", "", "JSON Lines with title, objective and description to take texts from (default invented words)")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file to write a CPU profile to")
	return cmd
}
