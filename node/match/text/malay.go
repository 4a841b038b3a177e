package text

import "strings"

// malay reads a word of Indonesian or Malay. Both share their terms, so the dictionaries of both are asked for the root.
// The word is the one with the fewest affixes taken off that a dictionary knows, and lang is whose dictionary that is; the
// term is the root, so that forms of one root find each other.
func (a *Analyser) malay(w, lang string) (word, term, tag string) {
	if a.words == nil {
		return w, lightMalay(w), lang
	}
	sibling := "ms"
	if lang == "ms" {
		sibling = "id"
	}
	var c candidates
	c.malay(w)
	tag = lang
	if f := a.first(lang, c.list[:c.n]); f != "" {
		word = f
	} else if f := a.first(sibling, c.list[:c.n]); f != "" {
		word, tag = f, sibling
	} else {
		return w, lightMalay(w), lang
	}
	term = word
	for _, f := range c.list[:c.n] {
		if len(f) >= 4 && len(f) < len(term) && len(w) > 6 && (a.words.Has("id", f) || a.words.Has("ms", f)) {
			term = f
		}
	}
	return word, term, tag
}

// lightMalay takes off what is safe to without a dictionary.
func lightMalay(w string) string {
	for _, s := range [...]string{"nya", "kan"} {
		if r, ok := strings.CutSuffix(w, s); ok && len(r) >= 4 {
			return r
		}
	}
	return w
}

// maxCandidates bounds the forms that one word is tried in.
const maxCandidates = 96

// candidates are forms of a word, from the fewest affixes taken off to the most.
type candidates struct {
	list [maxCandidates]string
	n    int
}

func (c *candidates) add(w string) {
	if len(w) < 3 || c.n == maxCandidates {
		return
	}
	for _, k := range c.list[:c.n] {
		if k == w {
			return
		}
	}
	c.list[c.n] = w
	c.n++
}

// malay takes off a particle, an owner, a suffix, and one or two prefixes.
func (c *candidates) malay(w string) {
	c.add(w)
	for _, s := range [...]string{"lah", "kah", "pun", "tah", "nya", "ku", "mu"} {
		if f, ok := strings.CutSuffix(w, s); ok {
			c.add(f)
			if s == "lah" || s == "kah" || s == "pun" {
				for _, o := range [...]string{"nya", "ku", "mu"} {
					if f, ok := strings.CutSuffix(f, o); ok {
						c.add(f)
					}
				}
			}
		}
	}
	// A prefix alone goes before a prefix with a suffix: it is the smaller change.
	whole := c.n
	for i := range whole {
		c.malayPrefixes(c.list[i])
	}
	suffixed := c.n
	for i := range whole {
		for _, s := range [...]string{"kan", "an", "i"} {
			if f, ok := strings.CutSuffix(c.list[i], s); ok {
				c.add(f)
			}
		}
	}
	for i := suffixed; i < c.n && i < maxCandidates/2; i++ {
		c.malayPrefixes(c.list[i])
	}
	for i := whole; i < suffixed; i++ { // memper-, diper-, keber-
		c.malayPrefixes(c.list[i])
	}
}

// malayPrefixes undoes what prefixes do to a root's first letter.
func (c *candidates) malayPrefixes(w string) {
	for _, p := range [...]struct{ prefix, lost string }{
		{"meng", "k"}, {"meny", "s"}, {"mem", "p"}, {"men", "t"}, {"me", ""},
		{"peng", "k"}, {"peny", "s"}, {"pem", "p"}, {"pen", "t"}, {"per", ""}, {"pel", ""}, {"pe", ""},
		{"ber", ""}, {"bel", ""}, {"be", ""}, {"ter", ""}, {"di", ""}, {"ke", ""}, {"se", ""},
	} {
		rest, ok := strings.CutPrefix(w, p.prefix)
		if !ok || len(rest) < 3 {
			continue
		}
		vowel := strings.IndexByte("aeiou", rest[0]) >= 0
		switch {
		case p.lost == "":
			c.add(rest)
		case p.lost == "s":
			c.add("s" + rest)
		case vowel:
			if p.lost == "k" {
				c.add(rest)
			}
			c.add(p.lost + rest)
		default:
			c.add(rest)
		}
		if p.prefix == "meng" || p.prefix == "peng" {
			if e, ok := strings.CutPrefix(rest, "e"); ok { // mengecat
				c.add(e)
			}
		}
	}
}
