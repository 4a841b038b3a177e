package text

import "strings"

// portuguese reads a word: the form that the dictionary knows, and a stem without number, gender and diacritics.
func (a *Analyser) portuguese(w string) (word, term string) {
	var c candidates
	c.add(w)
	c.portuguese(w)
	word = w
	if f := a.first("pt", c.list[:c.n]); f != "" {
		word = f
	}
	one := w
	if c.n > 1 {
		one = c.list[1]
	}
	stem := Fold(one)
	if f, ok := strings.CutSuffix(stem, "mente"); ok && len(f) >= 4 {
		stem = f
	}
	if n := len(stem); n >= 5 && strings.IndexByte("aoe", stem[n-1]) >= 0 {
		stem = stem[:n-1]
	}
	return word, cut(stem)
}

// portuguese adds the singular of a plural, the likelier first.
func (c *candidates) portuguese(w string) {
	if !strings.HasSuffix(w, "s") || len(w) < 4 || strings.HasSuffix(w, "ss") || strings.HasSuffix(w, "ês") {
		return
	}
	for _, p := range [...]struct{ plural, singular string }{
		{"ções", "ção"}, {"sões", "são"}, {"ões", "ão"}, {"ães", "ão"}, {"ãos", "ão"}, {"ais", "al"}, {"éis", "el"}, {"eis", "el"},
		{"óis", "ol"}, {"uis", "ul"}, {"ns", "m"}, {"res", "r"}, {"zes", "z"},
	} {
		if f, ok := strings.CutSuffix(w, p.plural); ok && len(f) >= 2 {
			c.add(f + p.singular)
			break
		}
	}
	c.add(w[:len(w)-1])
}

// tetum reads a word. Writers put glottal stops and accents or leave them out, so its term has none.
func (a *Analyser) tetum(w string) (word, term string) {
	plain := strings.NewReplacer("\u2019", "'", "\u02bc", "'").Replace(w)
	var c candidates
	c.add(plain)
	c.add(strings.ReplaceAll(plain, "'", ""))
	c.portuguese(plain)
	if f, ok := strings.CutSuffix(plain, "n"); ok && len(f) >= 4 { // uman: uma
		c.add(f)
	}
	word = plain
	if f := a.first("tet", c.list[:c.n]); f != "" {
		word = f
	}
	stem := word
	if strings.HasSuffix(stem, "s") && len(stem) >= 5 {
		var one candidates
		one.portuguese(stem)
		if one.n > 0 {
			stem = one.list[0]
		}
	}
	return word, strings.ReplaceAll(Fold(stem), "'", "")
}
