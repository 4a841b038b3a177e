package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/match"
)

func evalCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "eval DIR",
		Short: "Run a test collection (docs.jsonl, queries.jsonl, qrels.tsv) through the match engine",
		Long: "Run a test collection through the match engine. The last line is\n  nDCG@10 N MAP N R@100 N p50 N p99 N\n" +
			"nDCG with linear gain and log2 discount, unjudged documents counting as not relevant, as the mean over the\n" +
			"questions that have a relevant document; the times are those of one question.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := match.ReadCollection(os.DirFS(args[0]))
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			cmd.Printf("%d documents, %d questions, weights %s\n", len(c.Documents), len(c.Questions), match.DefaultWeights().Version)
			r, err := match.Evaluate(cmd.Context(), c, match.DefaultWeights(), time.Now)
			if err != nil {
				return err
			}
			cmd.Println(r)
			return nil
		},
	}
}
