package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/match/eval"
	"github.com/asean-tmh/tmh/node/match/lexicon"
)

const evalLong = `Run test collections through the match engine. A collection is a folder with docs.jsonl ({"id","title","text"}),
queries.jsonl ({"id","text"}) and qrels.tsv (query, document, grade). With one collection and no flag the last line is

  nDCG@10 N MAP N R@100 N p50 N p99 N

nDCG with linear gain and log2 discount, unjudged documents counting as not relevant, as the mean over the queries that
have a relevant document; the times are those of one answer of ten hits with its explanation.

  tmh eval DIR…                a row a collection, beside BM25 and BM25F on the same text analysis
  tmh eval --mix DIR…          the same with all collections in one index
  tmh eval --ablate DIR…       each part of the ranking on and off (with --mix in one index)
  tmh eval --loo DIR…          weights chosen on all collections but one, reported on that one
  tmh eval --threshold DIR…    how often “good match” and “no good match” are right, by threshold
  tmh eval --answers DIR       answers with their explanation, to be read (--needs FILE to ask with needs of another source)
  tmh eval --lang DIR          line-aligned LANG.txt: is a line's translation found? A line a file: ID R@1 N R@10 N`

func evalCmd() *cobra.Command {
	var f struct {
		ablate, mix, loo, threshold, answers, lang, declared bool
		to, lexicon, weights, needs, dictionary, wordnet     string
		examples                                             int
	}
	cmd := &cobra.Command{
		Use:   "eval DIR…",
		Short: "Run test collections through the match engine",
		Long:  evalLong,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := &eval.Report{Out: cmd.OutOrStdout(), Progress: eval.NewProgress(cmd.ErrOrStderr())}
			r.Weights = match.DefaultWeights()
			if f.weights != "" {
				if err := readWeights(f.weights, &r.Weights); err != nil {
					return err
				}
			}
			var err error
			if r.Lexicon, err = openLexicon(cmd, f.lexicon); err != nil {
				return err
			}
			if f.lang {
				p, err := eval.ReadParallel(os.DirFS(args[0]))
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				var plain *eval.Dictionaries
				if f.dictionary != "" {
					plain = &eval.Dictionaries{WordLists: os.DirFS(f.dictionary), WordNet: os.DirFS(f.wordnet)}
				}
				_, err = r.Languages(cmd.Context(), p, f.to, f.declared, plain)
				return err
			}
			var list []*eval.Collection
			for _, dir := range args {
				c, err := eval.ReadCollection(filepath.Base(filepath.Clean(dir)), os.DirFS(dir))
				if err != nil {
					return fmt.Errorf("%s: %w", dir, err)
				}
				list = append(list, c)
			}
			if f.answers {
				needs := list[0].Examples(f.examples)
				if f.needs != "" {
					dir, name := filepath.Split(f.needs)
					if needs, err = eval.ReadNeeds(os.DirFS(filepath.Clean(dir)), name, f.examples); err != nil {
						return fmt.Errorf("%s: %w", f.needs, err)
					}
				}
				return r.Answers(cmd.Context(), list[0], needs)
			}
			var catalogues []*eval.Catalogue
			if f.mix {
				catalogues = []*eval.Catalogue{eval.Mix(list)}
			} else {
				for _, c := range list {
					catalogues = append(catalogues, eval.Alone(c))
				}
			}
			switch {
			case f.ablate:
				return r.Ablate(cmd.Context(), catalogues)
			case f.loo:
				return r.LeaveOneOut(cmd.Context(), catalogues)
			case f.threshold:
				_, err := r.Threshold(cmd.Context(), catalogues)
				return err
			case len(list) == 1:
				return r.One(cmd.Context(), list[0])
			}
			return r.Table(cmd.Context(), catalogues)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.mix, "mix", false, "put all collections into one index")
	flags.BoolVar(&f.ablate, "ablate", false, "switch each part of the ranking off, and on alone")
	flags.BoolVar(&f.loo, "loo", false, "choose weights on all collections but one and report that one, for each")
	flags.BoolVar(&f.threshold, "threshold", false, "measure the verdict “no good match”")
	flags.BoolVar(&f.answers, "answers", false, "print answers for people to read")
	flags.StringVar(&f.needs, "needs", "", "with --answers: JSON Lines with id, title, objective, description, keywords to ask with")
	flags.IntVar(&f.examples, "examples", 20, "with --answers: how many")
	flags.BoolVar(&f.lang, "lang", false, "DIR holds the same lines in several languages, LANG.txt each")
	flags.StringVar(&f.to, "to", "en", "with --lang: the language of the lines to be found")
	flags.BoolVar(&f.declared, "declared", false, "with --lang: tell the engine which language it is asked in")
	flags.StringVar(&f.dictionary, "dictionary", "", "with --lang: folder of published word lists, to show the plain dictionary method beside")
	flags.StringVar(&f.wordnet, "wordnet", "/usr/share/wordnet", "with --dictionary: folder of WordNet 3.0")
	flags.StringVar(&f.lexicon, "lexicon", "", "folder of imported language packs (default the built-in pack alone)")
	flags.StringVar(&f.weights, "weights", "", "JSON file of weights that differ from the shipped ones")
	cmd.MarkFlagsMutuallyExclusive("ablate", "loo", "threshold", "answers", "lang")
	cmd.MarkFlagsMutuallyExclusive("mix", "answers", "lang")
	return cmd
}

// readWeights changes those weights that a file names.
func readWeights(path string, w *match.Weights) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(w); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// openLexicon reads the built-in language pack, and those in a folder where one is given.
func openLexicon(cmd *cobra.Command, dir string) (*lexicon.Lexicon, error) {
	if dir == "" {
		return lexicon.Builtin(), nil
	}
	l, problems, err := lexicon.Open(dir)
	if err != nil {
		return nil, err
	}
	for _, p := range problems {
		cmd.PrintErrf("left out: %v\n", p)
	}
	return l, nil
}
