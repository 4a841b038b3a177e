package lexicon

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Proposals are a table that a person edits: what is to be taken gets a "yes" in its first column.
const proposalsHead = "accept\tlang\tword\tenglish\tprobability\tseen\torigins\texamples"

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// WriteProposals writes the table, everything refused.
func WriteProposals(w io.Writer, all []Proposal) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "# Translations that the listings suggest. Write yes in the first column of those that are right, then run: tmh lexicon accept FILE")
	fmt.Fprintln(out, proposalsHead)
	for _, p := range all {
		fmt.Fprintf(out, "no\t%s\t%s\t%s\t%.3f\t%d\t%d\t%s\n", p.Lang, cell(p.Word), cell(p.English), p.Probability, p.Seen, p.Origins, cell(strings.Join(p.Examples, " ")))
	}
	return out.Flush()
}

func cell(s string) string { return strings.Join(strings.Fields(s), " ") }

// Accept makes a pack of the rows that a person has accepted. It says how many, and names every row that it cannot read.
func Accept(r io.Reader, from string) (pack []byte, taken int, err error) {
	b := NewBuilder()
	const source = "learnt from listings"
	if err := b.AddSource(Source{Name: source, Licence: "as the listings", From: clip(from, 300)}); err != nil {
		return nil, 0, err
	}
	lines := bufio.NewScanner(io.LimitReader(r, maxFile))
	lines.Buffer(nil, maxLine)
	var faults []error
	head := false
	for n := 1; lines.Scan() && len(faults) < 20; n++ {
		line := lines.Text()
		cols := strings.Split(line, "\t")
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
			continue
		case !head:
			if line != proposalsHead {
				return nil, 0, fmt.Errorf("line %d: this is no table of proposals: tmh lexicon learn writes one", n)
			}
			head = true
			continue
		case len(cols) < 7:
			faults = append(faults, fmt.Errorf("line %d: it has %d columns of 8", n, len(cols)))
			continue
		}
		switch strings.ToLower(strings.TrimSpace(cols[0])) {
		case "no", "":
			continue
		case "yes":
		default:
			faults = append(faults, fmt.Errorf("line %d: the first column says %s: yes or no", n, strconv.Quote(shorten(cols[0]))))
			continue
		}
		if err := b.Add(cols[1], cols[2], cols[3], accepted, source); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		taken++
	}
	if err := errors.Join(append(faults, lines.Err())...); err != nil {
		return nil, 0, err
	}
	if taken == 0 {
		return nil, 0, errors.New("no row is accepted: write yes in the first column of those that are right")
	}
	if err := b.AddSource(Source{Name: source, Entries: taken}); err != nil {
		return nil, 0, err
	}
	pack, err = b.Bytes()
	return pack, taken, err
}
