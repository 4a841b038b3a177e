package clir

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// What a word may be without its affixes, the longest first.

func strip(set map[string]bool, ends ...string) {
	for _, w := range slices.Collect(maps.Keys(set)) {
		for _, s := range ends {
			if strings.HasSuffix(w, s) && len(w)-len(s) >= 3 {
				set[w[:len(w)-len(s)]] = true
			}
		}
	}
}

func longestFirst(set map[string]bool, without string) []string {
	delete(set, without)
	return slices.SortedFunc(maps.Keys(set), func(x, y string) int { return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(x, y)) })
}

func malayBases(w string) []string {
	set := map[string]bool{w: true}
	strip(set, "nya", "lah", "kah", "pun", "ku", "mu")
	strip(set, "kan", "an", "i")
	for _, base := range slices.Collect(maps.Keys(set)) {
		for _, p := range []struct{ prefix, first string }{
			{"meng", ""}, {"meng", "k"}, {"meny", "s"}, {"mem", ""}, {"mem", "p"}, {"men", ""}, {"men", "t"}, {"me", ""},
			{"peng", ""}, {"peng", "k"}, {"peny", "s"}, {"pem", ""}, {"pem", "p"}, {"pen", ""}, {"pen", "t"}, {"per", ""}, {"pe", ""},
			{"ber", ""}, {"ter", ""}, {"di", ""}, {"ke", ""}, {"se", ""},
		} {
			if rest, ok := strings.CutPrefix(base, p.prefix); ok && len(rest) >= 3 {
				set[p.first+rest] = true
			}
		}
	}
	return longestFirst(set, w)
}

func filipinoBases(w string) []string {
	set := map[string]bool{w: true}
	for _, p := range []string{"nag", "mag", "pag", "nakaka", "naka", "maka", "na", "ma", "ka", "pina", "pinaka", "i", "ni"} {
		if rest, ok := strings.CutPrefix(w, p); ok && len(rest) >= 3 {
			set[strings.TrimLeft(rest, "-")] = true
		}
	}
	strip(set, "ng", "han", "hin", "an", "in")
	for _, z := range slices.Collect(maps.Keys(set)) {
		if len(z) > 4 && (z[1:3] == "um" || z[1:3] == "in") {
			set[z[:1]+z[3:]] = true
		}
	}
	return longestFirst(set, w)
}
