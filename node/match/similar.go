package match

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"

	"github.com/asean-tmh/tmh/node/match/text"
	"github.com/asean-tmh/tmh/protocol"
)

// Who enters a listing is shown what the region lists already that looks like the same technology. It is a suspicion and
// nothing else: two offices may rightly list one technology, so nothing is refused, merged or hidden by it.

// Draft is a listing as it is entered, before or after it is published.
type Draft struct {
	Listing *protocol.Listing
	Self    Ref      // where it stands in the catalogue, to leave it out; zero for a new one
	Patents []string // numbers from its full record, in any spelling, that its texts need not name
}

// Sources are what the index does not keep. Both may be nil.
type Sources struct {
	Texts   func(Ref) (*protocol.Listing, error) // of the catalogue; without them no passages, and no patents that only texts name
	Holders func(patent string) []Ref            // this node's own published listings whose full records name the patent, as ParsePatent writes it
}

// Suspect is a listing that is suspiciously like a draft.
type Suspect struct {
	Ref   Ref        `json:"ref"`
	Score float64    `json:"score"` // 0 to 1: that of the strongest likeness
	Why   []Likeness `json:"why"`   // the strongest first, never empty
}

// Likeness is one reason for suspicion.
type Likeness struct {
	Kind     string        `json:"kind"`
	Score    float64       `json:"score"`              // 0 to 1
	Lang     protocol.Lang `json:"lang,omitempty"`     // of the draft's text
	Share    float64       `json:"share,omitempty"`    // of the shorter text that both have, what few listings say counting more
	Patent   string        `json:"patent,omitempty"`   // that both name
	Passages []Passage     `json:"passages,omitempty"` // the longest that both have
}

// Kinds of likeness.
const (
	LikePatent      = "patent"      // both name one patent
	LikeText        = "text"        // near-same text in one language
	LikeTitle       = "title"       // the same title, in other letters or inflections perhaps
	LikeTranslation = "translation" // says in another language what the draft says
)

// Passage stands in both listings, word by word but for small words and endings.
type Passage struct {
	Here  string `json:"here"`  // as the draft writes it
	There string `json:"there"` // as the other listing does
}

// MaxSuspects is the most that Similar names.
const MaxSuspects = 20

// similarAmong are the best listings by BM25F that are compared word by word. Near-same texts share so many words that they
// are among the very first.
const similarAmong = 50

// Similar names up to n listings of any origin, kind and validity that are suspiciously like the draft, the most suspicious
// first. It is as deterministic as an answer. A draft at fault is a *protocol.Error; otherwise the error is ctx's or that
// of Sources.
func (x *Index) Similar(ctx context.Context, d Draft, n int, from Sources) ([]Suspect, error) {
	if d.Listing == nil {
		return nil, protocol.Errorf(protocol.CodeRequired, "texts", "there is no listing to compare")
	}
	if len(d.Patents) > maxPatents {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "patents", "%d patents, at most %d can be compared: name the main ones", len(d.Patents), maxPatents)
	}
	if err := (Query{Listing: d.Listing}).check(); err != nil {
		return nil, err
	}
	s := &similar{x: x, draft: &d, from: &from, found: make(map[Ref][]Likeness)}
	var self place
	x.writing.Lock()
	s.snap = x.snap.Load()
	if d.Self != (Ref{}) {
		self, _ = x.where.get(d.Self, x.key(d.Self), x.refAt)
	}
	x.writing.Unlock()
	defer runtime.KeepAlive(s.snap)
	if err := s.compareTexts(ctx, self); err != nil {
		return nil, err
	}
	if err := s.comparePatents(ctx); err != nil {
		return nil, err
	}
	return s.suspects(ctx, min(n, MaxSuspects))
}

// similar is a draft while it is compared.
type similar struct {
	x     *Index
	snap  *snapshot
	draft *Draft
	from  *Sources
	found map[Ref][]Likeness
}

// add keeps the strongest likeness of a kind.
func (s *similar) add(ref Ref, l Likeness) {
	if ref == s.draft.Self {
		return
	}
	for i, known := range s.found[ref] {
		if known.Kind == l.Kind {
			if l.Score > known.Score {
				s.found[ref][i] = l
			}
			return
		}
	}
	s.found[ref.clone()] = append(s.found[ref], l)
}

// readings are the draft's texts. A short text's language is told by its first words, so a title in another language than
// the abstract may have both misread: then the abstract is read by itself, too.
func (s *similar) readings() (texts []DocText) {
	doc := documentOf(s.draft.Self, s.draft.Listing, protocol.Hash{})
	for _, t := range doc.Texts {
		texts = append(texts, t)
		head, body := text.Normalise(t.Title), text.Normalise(t.Abstract)
		if body != "" && languageOf(head+"\n"+body, primary(t.Lang)) != languageOf(body, primary(t.Lang)) {
			texts = append(texts, DocText{Lang: t.Lang, Abstract: t.Abstract})
		}
	}
	return texts
}

// candidates are the best listings by BM25F, each with its sum and the plan of the text that gave it.
func (s *similar) candidates(ctx context.Context, texts []DocText, self place) ([]*plan, []candidate, error) {
	var plans []*plan
	for _, t := range texts {
		a := s.x.ask(nil, append([]string{t.Title, t.Abstract}, t.Keywords...), primary(t.Lang))
		plans = append(plans, s.x.plan(s.snap, &a))
	}
	if len(plans) == 0 {
		return nil, nil, nil
	}
	scaled(plans)
	all := Filter{Kinds: protocol.Kinds()}.sieve(&Query{})
	f, err := s.x.stageOne(ctx, s.snap, plans, &all, self, similarAmong, false)
	return plans, f.best, err
}

func (s *similar) compareTexts(ctx context.Context, self place) error {
	texts := s.readings()
	plans, best, err := s.candidates(ctx, texts, self)
	if err != nil || len(best) == 0 {
		return err
	}
	here := hashedTexts(s.x.analyse(&Document{Texts: texts}).sequence)
	there := make([][]hashedText, len(best))
	names := make(map[int]map[uint32]uint64) // hashes of terms, by part
	var seq []uint32
	for i, c := range best {
		if err := ctx.Err(); err != nil {
			return err
		}
		if names[c.part] == nil {
			names[c.part] = make(map[uint32]uint64)
		}
		seg := s.snap.parts[c.part].seg
		seq = seg.Sequence(seq[:0], c.doc)
		there[i] = storedTexts(seg, seq, names[c.part])
	}
	weigh(here, there)
	for i := range best {
		if err := ctx.Err(); err != nil {
			return err
		}
		ref := s.snap.refOf(&best[i])
		for h := range here {
			for t := range there[i] {
				share := sharedShingles(&here[h], &there[i][t])
				if share >= likeTextFrom {
					s.add(ref, Likeness{Kind: LikeText, Score: share, Share: share, Lang: texts[h].Lang})
				}
				if sameTitle(here[h].title, there[i][t].title) {
					s.add(ref, Likeness{Kind: LikeTitle, Score: likeTitleScore, Lang: texts[h].Lang})
				}
			}
		}
	}
	s.compareTranslations(texts, plans, best)
	return nil
}

// compareTranslations looks at the candidates that have no language of the draft.
func (s *similar) compareTranslations(texts []DocText, plans []*plan, best []candidate) {
	spoken := inSpacesOf(s.draft.Listing.Languages())
	for i := range best {
		c := &best[i]
		if spaceSet(s.snap.parts[c.part].seg.Languages()[c.doc])&spoken != 0 {
			continue
		}
		if share := s.translated(plans[c.plan], c); share >= likeTranslationFrom {
			s.add(s.snap.refOf(c), Likeness{Kind: LikeTranslation, Score: share, Share: share, Lang: texts[c.plan].Lang})
		}
	}
}

// inSpacesOf are the bits of the spaces and claims of languages.
func inSpacesOf(langs []protocol.Lang) (set spaceSet) {
	for _, l := range langs {
		set |= inSpaceOf(primary(l)) | claims(primary(l))
		if primary(l) == "en" {
			set |= claims("en")
		}
	}
	return set
}

// suspects sorts what was found, and shows the passages of the first n.
func (s *similar) suspects(ctx context.Context, n int) ([]Suspect, error) {
	list := []Suspect{}
	for ref, why := range s.found {
		slices.SortFunc(why, func(a, b Likeness) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Kind, b.Kind))
		})
		list = append(list, Suspect{Ref: ref, Score: why[0].Score, Why: why})
	}
	slices.SortFunc(list, func(a, b Suspect) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(len(b.Why), len(a.Why)), a.Ref.Compare(b.Ref))
	})
	list = slices.Clip(list[:min(max(n, 0), len(list))])
	if s.from.Texts == nil {
		return list, nil
	}
	kept := list[:0]
	for _, one := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		other, err := s.text(one.Ref)
		if err != nil {
			return nil, err
		}
		if other == nil { // withdrawn meanwhile
			continue
		}
		for i := range one.Why {
			if w := &one.Why[i]; w.Kind == LikeText {
				w.Passages = s.x.passages(s.draft.Listing.Texts[w.Lang], w.Lang, other)
			}
		}
		kept = append(kept, one)
	}
	return kept, nil
}

// text of a listing, nil where the catalogue has it no more.
func (s *similar) text(ref Ref) (*protocol.Listing, error) {
	l, err := s.from.Texts(ref)
	var fault *protocol.Error
	if errors.As(err, &fault) && (fault.Code == protocol.CodeNotFound || fault.Code == protocol.CodeWithdrawn) {
		return nil, nil //nolint:nilnil // there is none, and nothing is wrong
	}
	return l, err
}

// fewTranslated are the words that a share across languages is damped by, as if the other text lacked as many more: of
// few words most can be shared by chance.
const fewTranslated = 10

// translated is the share of what a plan looks for, weighted by how telling it is, that a document says in any form. What
// nobody could say in another language does not count.
func (s *similar) translated(p *plan, c *candidate) float64 {
	seg := s.snap.parts[c.part].seg
	has := make(map[uint32]bool)
	for _, w := range seg.Vector(nil, c.doc) {
		has[w.Term] = true
	}
	said := func(f form) bool {
		id := p.ids[c.part][f.term]
		return id != absent && has[id] && f.weight >= plausible
	}
	translation := func(f form) bool { return f.gloss != "" }
	n, all, both := 0, 0.0, 0.0
	for i := range p.wants {
		w := &p.wants[i]
		found := slices.ContainsFunc(w.terms, said) || slices.ContainsFunc(w.native, said)
		weight := w.idf
		for _, f := range w.native {
			weight = max(weight, f.idf)
		}
		if len(w.native) > 0 && !slices.ContainsFunc(w.terms, translation) {
			if !found {
				continue
			}
			weight /= 2 // a name, or a word that both languages write alike
		}
		n++
		all += weight
		if found {
			both += weight
		}
	}
	if n < fewestShingles || all <= 0 {
		return 0
	}
	return both / (all + float64(fewTranslated*all)/float64(n))
}
