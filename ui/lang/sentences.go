package lang

import (
	"cmp"
	"slices"
	"strings"
)

// The packages below the pages say what is wrong in English, as sentences that are kept and sent too. The English texts of the
// messages fault.* are patterns of these sentences: by them a sentence is found again, and can be said in another language.

// Sentence is an English sentence that a message says.
type Sentence struct {
	Key   string
	Parts []SentencePart
}

// SentencePart is what stands at a placeholder of the message.
type SentencePart struct {
	Name, Text string
	In         *Sentence // what Text says, where it is such a sentence itself
}

// Nested tells of the name of a placeholder that a sentence stands there, and whether a pattern fits only where it is known.
func nested(name string) (known, must bool) {
	must = strings.HasPrefix(name, "Why") || strings.HasPrefix(name, "What")
	return must || strings.HasPrefix(name, "Fault"), must
}

const (
	sentenceGroup = "fault."
	longSentence  = 4 << 10 // bytes, above which none is looked for
	deepSentence  = 3
)

// pattern is a message taken apart: texts stand around the placeholders of the names.
type pattern struct {
	key   string
	texts []string // one more than names
	names []string
	fixed int // bytes of texts: what has more is tried first
}

// sentences are the patterns of all messages of the group.
type sentences struct {
	whole    map[string]string // keys of messages without placeholders
	patterns []pattern
}

func newSentences(source map[string]*message) *sentences {
	all := &sentences{whole: map[string]string{}}
	for key, m := range source {
		if !strings.HasPrefix(key, sentenceGroup) {
			continue
		}
		x := pattern{key: key}
		rest := m.Other
		for {
			before, after, found := strings.Cut(rest, "{{.")
			x.texts = append(x.texts, before)
			x.fixed += len(before)
			if !found {
				break
			}
			name, behind, _ := strings.Cut(after, "}}")
			x.names, rest = append(x.names, name), behind
		}
		if len(x.names) == 0 {
			all.whole[m.Other] = key
			continue
		}
		all.patterns = append(all.patterns, x)
	}
	slices.SortFunc(all.patterns, func(a, b pattern) int { return cmp.Or(b.fixed-a.fixed, strings.Compare(a.key, b.key)) })
	return all
}

// Sentence finds the message that says an English sentence, nil where none does.
func (b *Bundle) Sentence(english string) *Sentence {
	if len(english) > longSentence {
		return nil
	}
	return b.sentences.find(english, deepSentence)
}

func (all *sentences) find(s string, deep int) *Sentence {
	if key, ok := all.whole[s]; ok {
		return &Sentence{Key: key}
	}
	if deep == 0 {
		return nil
	}
	for i := range all.patterns {
		values, ok := all.patterns[i].match(s)
		if !ok {
			continue
		}
		found := &Sentence{Key: all.patterns[i].key}
		for j, name := range all.patterns[i].names {
			part := SentencePart{Name: name, Text: values[j]}
			if inner, must := nested(name); inner {
				if part.In = all.find(values[j], deep-1); part.In == nil && must {
					found = nil
					break
				}
			}
			found.Parts = append(found.Parts, part)
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// match gives what stands at the placeholders. Each text is taken where it comes first, the last one at the end.
func (x *pattern) match(s string) ([]string, bool) {
	last := len(x.texts) - 1
	if len(s) < x.fixed || !strings.HasPrefix(s, x.texts[0]) || !strings.HasSuffix(s, x.texts[last]) {
		return nil, false
	}
	s = s[len(x.texts[0]) : len(s)-len(x.texts[last])]
	values := make([]string, 0, len(x.names))
	for _, text := range x.texts[1:last] {
		before, after, found := strings.Cut(s, text)
		if !found {
			return nil, false
		}
		values, s = append(values, before), after
	}
	return append(values, s), true
}

// Has tells whether the printer's own language has a text.
func (p *Printer) Has(key string) bool { return p.bundle.messages[p.tag][key] != nil }

// Sentence is that of the Bundle.
func (p *Printer) Sentence(english string) *Sentence { return p.bundle.Sentence(english) }
