package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/bench"
)

func benchDoorsCmd() *cobra.Command {
	var c bench.DoorsConfig
	var dir, corpus, profile string
	cmd := &cobra.Command{
		Use:   "doors",
		Short: "The REST API under load: latencies, highest rates, ten times too much",
		Long: "Measure a whole node that is asked over HTTP, by vegeta in a process of its own on the same cores: questions that never\n" +
			"repeat, single listings, the highest rate that is held, and ten times as much as the floors. Install vegeta by\n" +
			"  go install " + bench.Vegeta,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			tuneMemory(0)
			if c.Vegeta, err = exec.LookPath(c.Vegeta); err != nil {
				return fmt.Errorf("vegeta is not here: install it by go install %s, or name the program by --vegeta", bench.Vegeta)
			}
			if _, err := os.Stat(c.Titles); errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("%s is absent: name a file of JSON Lines with title by --titles", c.Titles)
			}
			if c.Dir, err = os.MkdirTemp(dir, "tmh-bench-"); err != nil {
				return err
			}
			defer os.RemoveAll(c.Dir)
			if corpus == "" {
				corpus = c.Titles
			}
			if c.Corpus, err = bench.ReadCorpus(corpus); err != nil {
				return err
			}
			c.Out, c.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return profiled(profile, func() error { return bench.Doors(cmd.Context(), c) })
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder below which data is written and removed again (default the system's temporary one)")
	cmd.Flags().IntVar(&c.Listings, "listings", 100_000, "how many listings")
	cmd.Flags().IntVar(&c.Seconds, "seconds", 20, "how long each series of requests is")
	cmd.Flags().StringVar(&c.Titles, "titles", needs, "JSON Lines with title: the questions")
	cmd.Flags().StringVar(&c.Vegeta, "vegeta", "vegeta", "the program that makes the load")
	cmd.Flags().StringVar(&corpus, "corpus", "", "JSON Lines with title, objective and description to take texts from (default the file of titles)")
	cmd.Flags().StringVar(&profile, "cpuprofile", "", "file to write a CPU profile to")
	return cmd
}
