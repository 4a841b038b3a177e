package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/match/lexicon"
	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

func lexiconLearnCmd() *cobra.Command {
	var p packs
	var proposals string
	var opt lexicon.LearnOptions
	cmd := &cobra.Command{
		Use:   "learn FILE... --proposals FILE",
		Short: "Propose translations that listings in two languages suggest, for a person to judge",
		Long: "Read listings that say the same in English and in another language, and propose translations of words that no\n" +
			"language pack has. The files are feeds (tmh export) or listings in JSON Lines, as for tmh import; the listings of one\n" +
			"such file count as one member's. Proposals change nothing: mark those that are right, then run tmh lexicon accept.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := p.folder()
			if err != nil {
				return err
			}
			known, problems, err := lexicon.Open(dir)
			if err != nil {
				return err
			}
			for _, x := range problems {
				cmd.PrintErrf("left out: %v\n", x)
			}
			r := bilingual{analyser: text.NewAnalyser(known)}
			for _, path := range args {
				if err := r.file(path); err != nil {
					return err
				}
			}
			found := lexicon.Learn(r.texts, known, opt)
			out, err := os.Create(proposals)
			if err != nil {
				return err
			}
			err = lexicon.WriteProposals(out, found)
			if err = errors.Join(err, out.Close()); err != nil {
				return err
			}
			cmd.Printf("%d listings, %d texts in two languages, %d lines left out\n", r.listings, len(r.texts), r.left)
			cmd.Printf("%d translations proposed in %s: write yes in the first column of those that are right, then run tmh lexicon accept %s\n",
				len(found), proposals, proposals)
			return nil
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&proposals, "proposals", "", "file to write")
	cmd.Flags().Float64Var(&opt.Probability, "probability", .2, "least probability")
	cmd.Flags().IntVar(&opt.Seen, "seen", 3, "least number of texts")
	cmd.Flags().IntVar(&opt.Origins, "origins", 2, "least number of members whose listings have it")
	_ = cmd.MarkFlagRequired("proposals") // fails only where there is no such flag
	return cmd
}

// bilingual collects the texts of listings that have English and another language.
type bilingual struct {
	analyser       *text.Analyser
	texts          []lexicon.BilingualText
	listings, left int
}

// file reads a feed or listings. What another program wrote wrongly is counted, not trusted.
func (b *bilingual) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	lines := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			b.left++
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
		case len(strings.TrimSpace(string(line))) > 0:
			b.line(line, filepath.Base(path))
		}
		if errors.Is(err, io.EOF) {
			return f.Close()
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, errors.Join(err, f.Close()))
		}
	}
}

func (b *bilingual) line(line []byte, origin string) {
	var l struct {
		Type  string                          `json:"type"`
		Bytes string                          `json:"bytes"`
		ID    string                          `json:"id"`
		Texts map[protocol.Lang]protocol.Text `json:"texts"`
	}
	if json.Unmarshal(line, &l) != nil {
		b.left++
		return
	}
	switch {
	case l.Type == "change":
		raw, err := hex.DecodeString(l.Bytes)
		if err != nil {
			b.left++
			return
		}
		c, err := protocol.DecodeChange(raw)
		if err != nil {
			b.left++
			return
		}
		listing, err := protocol.DecodeListing(c.Body)
		if err != nil { // a withdrawal
			return
		}
		b.add(string(listing.ID), string(c.Origin), listing.Texts)
	case l.Type != "": // papers and heads of a feed
	case l.ID == "" || len(l.Texts) == 0:
		b.left++
	default:
		b.add(l.ID, origin, l.Texts)
	}
}

// add pairs titles with titles and abstracts with abstracts: the shorter the texts, the surer the words.
func (b *bilingual) add(id, origin string, texts map[protocol.Lang]protocol.Text) {
	b.listings++
	english, ok := texts["en"]
	if !ok {
		return
	}
	var tags []string
	for tag := range texts {
		tags = append(tags, string(tag))
	}
	slices.Sort(tags)
	for _, tag := range tags {
		lang, _, _ := strings.Cut(tag, "-")
		if lang == "en" {
			continue
		}
		foreign := texts[protocol.Lang(tag)]
		for _, pair := range [][2]string{{foreign.Title, english.Title}, {foreign.Value, english.Value}, {foreign.Abstract, english.Abstract}} {
			if pair[0] == "" || pair[1] == "" {
				continue
			}
			b.texts = append(b.texts, lexicon.BilingualText{
				Lang: lang, Foreign: b.words(pair[0], lang), English: b.words(pair[1], "en"), Origin: origin, Ref: origin + "/" + id,
			})
		}
	}
}

func (b *bilingual) words(s, lang string) []string {
	var out []string
	for _, t := range b.analyser.Analyse(nil, text.Normalise(s), lang) {
		switch {
		case t.Kind == text.Number || t.Kind == text.Name || t.Lang != lang && lang != "en":
		case t.Word != "":
			out = append(out, strings.Clone(t.Word))
		default:
			out = append(out, strings.Clone(t.Term))
		}
	}
	return out
}
