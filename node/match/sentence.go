package match

import (
	"fmt"
	"strings"
)

// sentence says in one breath why a listing was found: what it shares, in which other words, and what else speaks for it.
func (r *ranking) sentence(s *scored, list []reason) string {
	var words, light, related, codes, fits []string
	var byField [fields]float64
	terms := 0.0
	for _, h := range list {
		switch h.Kind {
		case PartTerm:
			if h.Light {
				light = append(light, quoted(h.Part))
			} else {
				words = append(words, quoted(h.Part))
			}
			terms += h.Weight
			for f := range fields {
				if h.fields&(1<<f) != 0 {
					byField[f] += h.Weight
				}
			}
		case PartTopic:
			if len(related) < 1 && h.Term != "" && h.Found != "" {
				related = append(related, fmt.Sprintf("“%s” goes with “%s”", h.Term, h.Found))
			}
		case PartCode:
			codes = append(codes, h.Term)
		case PartFit:
			fits = append(fits, h.Term)
		}
	}
	words = append(words, light...)
	if len(words) == 0 {
		return "Shares no word with the query, but words of its best matches."
	}
	var b strings.Builder
	switch s.verdict {
	case Strong:
		b.WriteString("Strong match: ")
	case Fair:
		b.WriteString("Fair match: ")
	default:
		b.WriteString("Weak match: ")
	}
	b.WriteString("shares " + listed(words, 3, "more word", "more words"))
	for f := range fields {
		if f != abstract && 2*byField[f] > terms || f == abstract && byField[f] == terms && byField[title]+byField[keywords] == 0 {
			b.WriteString(", mostly in the " + f.String())
			break
		}
	}
	if len(related) > 0 {
		b.WriteString("; " + related[0])
	}
	if len(codes) > 0 {
		b.WriteString("; both are in " + listed(codes, 2, "more code", "more codes"))
	}
	if len(fits) > 0 {
		b.WriteString("; " + listed(fits, 4, "more", "more") + " " + plural(len(fits), "fits", "fit"))
	}
	return b.String() + "."
}

// quoted names a word, and what it was found by where that is another word.
func quoted(p Part) string {
	s := "“" + p.Term + "”"
	switch {
	case p.Means != "" && p.Found != "" && !strings.EqualFold(p.Means, p.Term):
		return s + " (" + p.Means + ", here “" + p.Found + "”)"
	case p.Means != "" && !strings.EqualFold(p.Means, p.Term):
		return s + " (" + p.Means + ")"
	case p.Found != "":
		return s + " (here “" + p.Found + "”)"
	}
	return s
}

// listed joins the first few names, and counts the others.
func listed(names []string, few int, one, more string) string {
	if n := len(names) - few; n > 0 {
		return strings.Join(names[:few], ", ") + fmt.Sprintf(" and %d %s", n, plural(n, one, more))
	}
	if n := len(names) - 1; n > 0 {
		return strings.Join(names[:n], ", ") + " and " + names[n]
	}
	return names[0]
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
