package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/match"
)

func matchCmd() *cobra.Command {
	var dir, listing, lang, sort string
	var limit int
	var kinds, countries, ford []string
	var trlMin, trlMax int
	var explain bool
	cmd := &cobra.Command{
		Use:   "match --dir DIR TEXT... | --listing ORIGIN/ID",
		Short: "Find listings for a text, or the counterparts of a listing, over the whole federation",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := dial(dir)
			if err != nil {
				return err
			}
			query := map[string]any{"limit": limit, "lang": lang, "sort": sort}
			switch origin, id, ok := strings.Cut(listing, "/"); {
			case ok && len(args) == 0:
				query["ref"] = map[string]string{"origin": origin, "id": id}
			case listing == "" && len(args) > 0:
				query["text"] = strings.Join(args, " ")
			default:
				return fmt.Errorf("say what to look for: a text, or --listing ORIGIN/ID such as KH/TO-KH-20260914-001")
			}
			filter := map[string]any{"kinds": kinds, "countries": countries, "ford": ford}
			if trlMin > 0 {
				filter["trl_min"] = trlMin
			}
			if trlMax > 0 {
				filter["trl_max"] = trlMax
			}
			query["filter"] = filter
			var a exchange.MatchAnswer
			if err := c.post(cmd.Context(), "/api/v1/match", query, &a); err != nil {
				return err
			}
			showMatch(cmd, a, explain)
			return nil
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&listing, "listing", "", "listing whose counterparts are wanted, as ORIGIN/ID")
	cmd.Flags().IntVarP(&limit, "limit", "n", 10, "how many to show")
	cmd.Flags().StringVar(&lang, "lang", "", "language that the text is in, such as th; recognised where it is left out")
	cmd.Flags().StringVar(&sort, "sort", "score", "order: score, newest, ending, trl or country; all but score show fair and strong matches only")
	cmd.Flags().StringSliceVar(&kinds, "kind", []string{}, "only these kinds: TO, TR, RD, EX, FC, FN")
	cmd.Flags().StringSliceVar(&countries, "country", []string{}, "only these countries")
	cmd.Flags().StringSliceVar(&ford, "ford", []string{}, "only these fields of research (OECD FORD), such as 2 or 2.7")
	cmd.Flags().IntVar(&trlMin, "trl-min", 0, "only from this technology readiness level on")
	cmd.Flags().IntVar(&trlMax, "trl-max", 0, "only up to this technology readiness level")
	cmd.Flags().BoolVar(&explain, "explain", false, "show the parts of every score")
	return cmd
}

func showMatch(cmd *cobra.Command, a exchange.MatchAnswer, explain bool) {
	if a.Meant != "" {
		cmd.Printf("Did you mean: %s\n", a.Meant)
	}
	switch {
	case a.Verdict == match.Weak && len(a.Hits) == 0:
		cmd.Println("No good match. In the order by score, the nearest listings are shown.")
	case len(a.Hits) == 0:
		cmd.Println("Nothing matches. Try fewer or more common words, or leave out a filter.")
	case a.Verdict == match.Weak:
		cmd.Println("No good match: these listings are the nearest.")
	}
	for i, h := range a.Hits {
		_, t := h.Listing.Text("en")
		cmd.Printf("%2d. %-28s %6.3f  %s\n", i+1, string(h.Origin)+"/"+string(h.ID), h.Score, t.Title)
		cmd.Printf("    %s match · %s · %s · copy %s", h.Verdict, h.Listing.Kind, h.Listing.Country, h.Fresh.State)
		if h.Fresh.LastHeard != 0 {
			cmd.Printf(", last heard %s", h.Fresh.LastHeard.Time().Format("2006-01-02 15:04 UTC"))
		}
		_, why, found := strings.Cut(h.Explanation.Sentence, " match: ") // the verdict is said already
		if !found {
			why = h.Explanation.Sentence
		}
		cmd.Printf("\n    %s\n", why)
		for _, other := range h.Same {
			cmd.Printf("    also listed as %s/%s: %s\n", other.Origin, other.ID, other.Title)
		}
		if explain {
			for _, p := range h.Explanation.Parts {
				cmd.Println("      " + partLine(p))
			}
		}
	}
	for _, m := range a.Behind {
		cmd.Printf("! %s %s: %s\n", m.ID, m.State, m.Why)
	}
	if len(a.Languages) > 0 {
		cmd.Printf("read as %s · ", strings.Join(a.Languages, " or "))
	}
	cmd.Printf("%d in all · ranker %s\n", a.Total, a.Ranker)
}

// partLine is one part of a score: its weight, what it is, and in which other words.
func partLine(p match.Part) string {
	s := fmt.Sprintf("%8.4f  %-9s %s", p.Weight, p.Kind, p.Term)
	if p.Means != "" && !strings.EqualFold(p.Means, p.Term) {
		s += " → " + p.Means
	}
	if p.Found != "" {
		s += ", here " + p.Found
	}
	if p.Level > 0 {
		s += fmt.Sprintf(", level %d", p.Level)
	}
	if len(p.Fields) > 0 {
		s += "  (" + strings.Join(p.Fields, ", ") + ")"
	}
	return strings.TrimRight(s, " ")
}
