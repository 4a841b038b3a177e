package text

import "strings"

// filipino is the form of a word with the fewest affixes taken off that the dictionary knows.
func (a *Analyser) filipino(w string) string {
	if a.words == nil {
		return w
	}
	var c candidates
	c.filipino(w)
	if f := a.first("fil", c.list[:c.n]); f != "" {
		return f
	}
	return w
}

func filipinoPrefix(s string) bool {
	switch s {
	case "nag", "mag", "pag", "nagpa", "magpa", "pagpapa", "nakapag", "makapag", "napag", "mapag", "ipag", "ipinag", "pinag",
		"tag", "taga", "pang", "pan", "pam", "mang", "nang", "ika", "ka", "pinaka", "maka", "naka", "um", "in":
		return true
	}
	return false
}

// filipino takes off prefixes, infixes, suffixes and the doubled first syllable.
func (c *candidates) filipino(w string) {
	c.add(w)
	if f, ok := strings.CutSuffix(w, "ng"); ok { // the linker
		c.add(f)
		c.add(f + "n")
	}
	c.add(strings.ReplaceAll(w, "-", ""))
	whole := c.n
	for i := range whole {
		c.filipinoPrefixes(c.list[i])
	}
	prefixed := c.n
	for i := range prefixed {
		c.filipinoInfix(c.list[i])
		c.doubled(c.list[i])
	}
	inner := c.n
	for i := range inner {
		for _, s := range [...]string{"hang", "hing", "hin", "han", "ing", "ang", "in", "an"} {
			if f, ok := strings.CutSuffix(c.list[i], s); ok && len(f) >= 3 {
				c.add(f)
				if o := f[:len(f)-1]; f[len(f)-1] == 'u' { // lutu-in: luto
					c.add(o + "o")
				} else if f[len(f)-1] == 'r' { // bayar-an: bayad
					c.add(o + "d")
				}
			}
		}
	}
}

func (c *candidates) filipinoPrefixes(w string) {
	for _, p := range [...]string{"nakapagpa", "makapagpa", "nakapag", "makapag", "nagpapa", "magpapa", "pagpapa", "pinakama", "ipinag", "pinaka",
		"nakaka", "makaka", "nagpa", "magpa", "nagka", "magka", "pinag", "pag", "nag", "mag", "ipag", "ipa", "taga", "naka", "maka", "napa",
		"mapa", "pang", "mang", "nang", "pina", "ika", "pa", "na", "ma", "ka", "ni", "i"} {
		if f, ok := strings.CutPrefix(w, p); ok && len(f) >= 3 {
			c.add(strings.TrimPrefix(f, "-"))
			c.doubled(strings.TrimPrefix(f, "-"))
		}
	}
	for _, p := range [...]struct{ prefix, lost string }{ // the first letter melts into the prefix
		{"pam", "b"}, {"pam", "p"}, {"mam", "b"}, {"mam", "p"}, {"nam", "b"}, {"nam", "p"},
		{"pan", "t"}, {"pan", "s"}, {"pan", "d"}, {"man", "t"}, {"man", "s"}, {"nan", "t"}, {"pang", "k"}, {"mang", "k"},
	} {
		if f, ok := strings.CutPrefix(w, p.prefix); ok && len(f) >= 2 {
			c.add(p.lost + f)
			c.add(f)
		}
	}
}

// filipinoInfix takes -um- and -in- from behind the first consonant.
func (c *candidates) filipinoInfix(w string) {
	for at := 0; at <= 2 && at+2 < len(w); at++ {
		if in := w[at : at+2]; in == "um" || in == "in" {
			f := w[:at] + w[at+2:]
			c.add(f)
			c.doubled(f)
		}
	}
}

// doubled takes off the first syllable where it is said twice: ba-basa.
func (c *candidates) doubled(w string) {
	for n := 1; n <= 3 && 2*n <= len(w); n++ {
		if w[:n] == w[n:2*n] {
			c.add(w[n:])
		}
	}
}
