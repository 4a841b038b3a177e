package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/mapped"
	"github.com/asean-tmh/tmh/node/match/text"
)

// packs is where a command finds the imported language packs.
type packs struct{ dir, out string }

func (p *packs) flags(cmd *cobra.Command) {
	dirFlag(cmd, &p.dir)
	cmd.Flags().StringVar(&p.out, "out", "", "folder of language packs (default: that of the node in --dir)")
}

func (p *packs) folder() (string, error) {
	if p.out != "" {
		return p.out, nil
	}
	cfg, err := config.Load(p.dir)
	if err != nil {
		return "", fmt.Errorf("%w (or name a folder of language packs with --out)", err)
	}
	if cfg.Lexicon == "" {
		return "", errors.New("the configuration names no folder for language packs (lexicon): name one there, or with --out")
	}
	return cfg.Lexicon, nil
}

const whenUsed = "A running node takes language packs up when it is started again."

var packName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// write puts a pack into the folder, in place of one of the same name.
func (p *packs) write(cmd *cobra.Command, name string, b []byte) error {
	if !packName.MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a pack: --name wants letters, digits, dots and dashes", name)
	}
	dir, err := p.folder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, name+lexicon.Extension)
	if err := mapped.Write(path, b); err != nil {
		return fmt.Errorf("write the pack: %w", err)
	}
	if _, err := lexicon.OpenFile(path); err != nil {
		return fmt.Errorf("the pack that was written cannot be read: %w", err)
	}
	cmd.Printf("%s: %.1f MB. %s\n", path, float64(len(b))/1e6, whenUsed)
	return nil
}

func lexiconCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lexicon",
		Short: "Language packs: import dictionaries, look words up, learn from listings",
		Long: "Language packs say what words of the region's languages mean in English, so that a text in one language finds\n" +
			"listings in another. One comes with the program; an operator imports more. " + whenUsed,
	}
	cmd.AddCommand(lexiconImportCmd(), lexiconListCmd(), lexiconShowCmd(), lexiconRemoveCmd(), lexiconLearnCmd(), lexiconAcceptCmd())
	return cmd
}

func lexiconImportCmd() *cobra.Command {
	var p packs
	var name, wordnet string
	im := lexicon.NewImporter()
	cmd := &cobra.Command{
		Use:   "import FILE|DIR...",
		Short: "Make one language pack of dictionaries, wordnet tables and word lists",
		Long: "Make one language pack of files, each recognised by its form: English, tab, foreign · \"english :: foreign\" ·\n" +
			"tables of the Open Multilingual Wordnet (which need WordNet 3.0, Debian package wordnet-base) · word lists, hunspell's\n" +
			"too · tables of terms with a column a language. It says of every file what it took, what it left and why.\n" + whenUsed,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(filepath.Clean(args[0])), filepath.Ext(args[0]))
			}
			if _, err := os.Stat(wordnet); err == nil || cmd.Flags().Changed("wordnet") {
				if err := im.WordNet(os.DirFS(wordnet)); err != nil {
					return fmt.Errorf("WordNet in %s: %w", wordnet, err)
				}
			}
			reports, err := readDictionaries(im, args)
			if err != nil {
				return err
			}
			if err := im.Finish(); err != nil {
				return err
			}
			taken := 0
			for _, r := range reports {
				showReport(cmd, r)
				taken += r.Translations + r.Words
			}
			if taken == 0 {
				return errors.New("nothing was taken from these files, so no pack was written")
			}
			if im.Compounds > 0 {
				cmd.Printf("%d compounds without a translation are left out: their parts have one\n", im.Compounds)
			}
			b, err := im.Builder.Bytes()
			if err != nil {
				return err
			}
			return p.write(cmd, name, b)
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&name, "name", "", "name of the pack (default: of the first file or folder)")
	cmd.Flags().StringVar(&im.Licence, "licence", "", "licence of files that do not state theirs")
	cmd.Flags().StringVar(&im.From, "from", "", "where such files were had")
	cmd.Flags().StringVar(&im.Lang, "lang", "", "language of word lists that do not tell by script or name")
	cmd.Flags().StringVar(&wordnet, "wordnet", "/usr/share/wordnet", "folder of WordNet 3.0 (data.noun and others)")
	return cmd
}

func readDictionaries(im *lexicon.Importer, paths []string) ([]*lexicon.Report, error) {
	var all []*lexicon.Report
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		var reports []*lexicon.Report
		if info.IsDir() {
			reports, err = im.Files(os.DirFS(path))
		} else {
			var r *lexicon.Report
			r, err = im.File(os.DirFS(filepath.Dir(path)), filepath.Base(path))
			reports = append(reports, r)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, reports...)
	}
	return all, nil
}

func showReport(cmd *cobra.Command, r *lexicon.Report) {
	cmd.Printf("%s: %s", r.File, cmp.Or(r.Form, "not recognised"))
	if len(r.Langs) > 0 {
		cmd.Printf(", %s", strings.Join(r.Langs, " "))
	}
	if r.Translations > 0 {
		cmd.Printf(", %d translations", r.Translations)
	}
	if r.Words > 0 {
		cmd.Printf(", %d words without translation", r.Words)
	}
	if r.Note != "" {
		cmd.Printf("; %s", r.Note)
	}
	cmd.Println()
	for _, l := range r.Left {
		cmd.Printf("    left %d rows: %s (%s)\n", l.Rows, l.Reason, strings.Join(l.Examples, " · "))
	}
}

func lexiconListCmd() *cobra.Command {
	var p packs
	cmd := &cobra.Command{
		Use: "list", Short: "List the language packs, their sources and licences", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := p.folder()
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
			fmt.Fprintln(w, "pack\tsource\tentries\tlicence\tfrom")
			row := func(name string, l *lexicon.Lexicon) {
				for _, s := range l.Sources() {
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", name, s.Name, s.Entries, s.Licence, s.From)
				}
			}
			row("(built in)", lexicon.Builtin())
			paths, err := filepath.Glob(filepath.Join(dir, "*"+lexicon.Extension))
			if err != nil {
				return err
			}
			var faults []error
			for _, path := range paths {
				name := strings.TrimSuffix(filepath.Base(path), lexicon.Extension)
				l, err := lexicon.OpenFile(path)
				if err != nil {
					faults = append(faults, fmt.Errorf("%s: %w", name, err))
					continue
				}
				row(name, l)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			all, _, err := lexicon.Open(dir)
			if err != nil {
				return err
			}
			for _, lang := range all.Languages() {
				cmd.Printf("%s %d headwords  ", lang, all.Headwords(lang))
			}
			cmd.Println()
			return errors.Join(faults...)
		},
	}
	p.flags(cmd)
	return cmd
}

func lexiconShowCmd() *cobra.Command {
	var p packs
	var lang string
	cmd := &cobra.Command{
		Use: "show WORD", Short: "Show what a word means, and which source says so", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := p.folder()
			if err != nil {
				return err
			}
			l, problems, err := lexicon.Open(dir)
			if err != nil {
				return err
			}
			for _, x := range problems {
				cmd.PrintErrf("left out: %v\n", x)
			}
			word := strings.ToLower(text.Normalise(args[0]))
			found := false
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
			for _, tag := range l.Languages() {
				if lang != "" && lang != tag || !l.Has(tag, word) {
					continue
				}
				found = true
				targets := l.Translate(nil, tag, word)
				switch {
				case l.Stop(tag, word):
					fmt.Fprintf(w, "%s\t%s\tcarries no topic: it is not searched for\n", tag, word)
				case len(targets) == 0:
					fmt.Fprintf(w, "%s\t%s\tno translation is known\n", tag, word)
				}
				for _, t := range targets {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.2f\t%s\n", tag, word, t.Term, t.English, t.Weight, l.Sources()[t.Source].Name)
				}
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if !found {
				return fmt.Errorf("no language pack has %q: words of other forms of it may be there, and tmh lexicon import adds more", args[0])
			}
			return nil
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&lang, "lang", "", "only in this language")
	return cmd
}

func lexiconRemoveCmd() *cobra.Command {
	var p packs
	cmd := &cobra.Command{
		Use: "remove NAME", Short: "Remove an imported language pack", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.TrimSuffix(args[0], lexicon.Extension)
			dir, err := p.folder()
			if err != nil {
				return err
			}
			path := filepath.Join(dir, name+lexicon.Extension)
			if _, err := os.Stat(path); !packName.MatchString(name) || err != nil {
				return fmt.Errorf("there is no pack %q: tmh lexicon list names them", args[0])
			}
			if err := mapped.Remove(path); err != nil {
				return err
			}
			cmd.Printf("%s is removed. %s\n", name, whenUsed)
			return nil
		},
	}
	p.flags(cmd)
	return cmd
}

func lexiconAcceptCmd() *cobra.Command {
	var p packs
	var name string
	cmd := &cobra.Command{
		Use: "accept FILE", Short: "Make a language pack of the proposals that a person has marked with yes", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			b, taken, err := lexicon.Accept(f, "proposals in "+filepath.Base(args[0]))
			if err = errors.Join(err, f.Close()); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			cmd.Printf("%d translations accepted\n", taken)
			return p.write(cmd, name, b)
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&name, "name", "learnt", "name of the pack")
	return cmd
}
