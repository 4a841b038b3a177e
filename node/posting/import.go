package posting

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Many listings at once, from a file or a repository. import_decide.go says what becomes of each, import_carry.go does it.

// Imported is one listing of an import: what the source says of it.
type Imported struct {
	Source  string // its id at the source, unique in the organisation
	Content Content
	Hash    protocol.Hash // of what the source says: equal hashes are equal contents
}

// Batch of an import.
type Batch struct {
	Organisation access.OrganisationID
	Origin       string // name of the mapping or repository that they come from: what a full synchronisation is about
	DraftsOnly   bool   // submit nothing
}

// ImportOutcome of one listing.
type ImportOutcome string

// The outcomes.
const (
	ImportCreated   ImportOutcome = "created"   // and published or submitted, unless drafts only
	ImportChanged   ImportOutcome = "changed"   // likewise
	ImportUnchanged ImportOutcome = "unchanged" // the source says what it said before
	ImportRefused   ImportOutcome = "refused"   // Err says why
	ImportEnded     ImportOutcome = "ended"     // people ended the listing here; it does not return by itself
	ImportWithdrawn ImportOutcome = "withdrawn" // the source has it no more
)

// ImportResult of one listing.
type ImportResult struct {
	Source  string
	Outcome ImportOutcome
	ID      protocol.ListingID // "" where none was made
	State   State              // afterwards
	Err     error
	Before  *Content // of Plan alone: what is here now; nil for nothing, and where nothing changes
	Edited  bool     // of Plan alone: people changed it here since the last import, which is overwritten
}

// Limits of an import.
const (
	MaxOrigin      = 200 // characters of the name of where an import comes from
	importGroup    = 256 // listings that share transactions, and with them a sync each
	importReason   = "no-longer-available"
	maxSourceBytes = 400 // of an id at the source, which stands in keys
	maxFrom        = 10_000
)

// Import carries out a batch: durable when it returns, idempotent by (organisation, source). note, where it is not nil, is called in the
// transaction that finishes some of the listings, so that a job's progress is exact after a crash; it may be called several times, each with
// the next results in order. It may write about a kilobyte for each.
//
// The results are those that are finished, also beside an error. After one the rest can be sent again, or all of it.
//
// Errors: CodeUnavailable or CodeReadOnly while the node cannot sign; what is on its way is carried out later.
func (p *Postings) Import(ctx context.Context, a access.Actor, b Batch, all []Imported, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	m, err := p.importer(a, b)
	if err != nil {
		return nil, err
	}
	m.all, m.decide = all, m.listing
	m.read(len(all), func(i int) string { return all[i].Source })
	return m.run(ctx, note)
}

// Plan says what Import would do, and changes nothing.
func (p *Postings) Plan(a access.Actor, b Batch, all []Imported) ([]ImportResult, error) {
	m, err := p.importer(a, b)
	if err != nil {
		return nil, err
	}
	m.all, m.plan = all, true
	m.read(len(all), func(i int) string { return all[i].Source })
	results := make([]ImportResult, 0, len(all))
	for from := 0; from < len(all); {
		err := p.cfg.Store.View(func(tx *store.Tx) error {
			for to := min(from+importGroup, len(all)); from < to; from++ {
				st, err := m.listing(tx, from)
				if err != nil {
					return err
				}
				if st.result.Outcome == ImportCreated {
					st.result.ID = ""
				}
				results = append(results, st.result)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// ImportedFrom lists the sources' ids of what came from b.Origin and is not ended, in order after one, at most limit.
func (p *Postings) ImportedFrom(a access.Actor, b Batch, after string, limit int) (all []string, _ error) {
	if err := access.Can(a, access.ReadImport, access.Resource{Organisation: b.Organisation}); err != nil {
		return nil, err
	}
	if len(after) > maxSourceBytes {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "after", "is no id of a source, which has %d bytes at most: begin with \"\"", maxSourceBytes)
	}
	origin, err := text("origin", b.Origin, MaxOrigin)
	if err != nil {
		return nil, err
	}
	limit = max(1, min(limit, maxFrom))
	prefix := originKey(b.Organisation, origin)
	if after != "" {
		after = prefix + after
	}
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TablePostingIndex, prefix, after, func(key string, _ []byte) (bool, error) {
			all = append(all, strings.TrimPrefix(key, prefix))
			return len(all) < limit, nil
		})
	})
	return all, err
}

// WithdrawImported ends listings that their source has no more (reason "no-longer-available"; drafts that were never published are
// discarded). It is as durable and idempotent as Import, and calls note likewise. One that is not here any more is unchanged.
func (p *Postings) WithdrawImported(ctx context.Context, a access.Actor, b Batch, sources []string, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	m, err := p.importer(a, b)
	if err != nil {
		return nil, err
	}
	m.decide = m.gone
	m.read(len(sources), func(i int) string { return sources[i] })
	return m.run(ctx, note)
}

// importer carries out one batch.
type importer struct {
	*Postings
	actor access.Actor
	batch Batch
	plan  bool

	all     []Imported
	sources []string // as they are given
	keys    []string // and as they are kept
	faults  []error  // of these, nil for none
	decide  func(tx *store.Tx, i int) (*importStep, error)

	standing Standing
	free     int  // listings that may yet wait for a review,
	counted  bool // once that was wanted
	at       protocol.Instant
	contacts map[access.OrganisationID]protocol.Contact
	claimed  map[protocol.ListingID]bool
	waiting  []protocol.ListingID // to be signed: found while deciding
	results  []ImportResult
}

func (p *Postings) importer(a access.Actor, b Batch) (*importer, error) {
	if err := access.Can(a, access.ImportPosting, access.Resource{Organisation: b.Organisation}); err != nil {
		return nil, err
	}
	m := &importer{Postings: p, actor: a, batch: b, at: p.now(), contacts: make(map[access.OrganisationID]protocol.Contact)}
	var err error
	if m.batch.Origin, err = text("origin", b.Origin, MaxOrigin); err != nil {
		return nil, err
	}
	if m.batch.Origin == "" {
		return nil, protocol.Errorf(protocol.CodeRequired, "origin", "is absent: name the mapping or repository that the listings come from")
	}
	return m, p.cfg.Store.View(func(tx *store.Tx) (err error) {
		m.standing, err = m.mayImport(tx)
		return err
	})
}

// mayImport reads the organisation's standing.
func (m *importer) mayImport(tx *store.Tx) (Standing, error) {
	s, err := m.Postings.standing(tx, m.batch.Organisation)
	if err == nil && s.Disabled {
		err = protocol.Errorf(protocol.CodeNotPermitted, "organisation", "the organisation is disabled on this node: ask the agency")
	}
	return s, err
}

// read the sources' ids; each may stand in a batch once.
func (m *importer) read(n int, source func(i int) string) {
	m.sources, m.keys, m.faults = make([]string, n), make([]string, n), make([]error, n)
	seen := make(map[string]bool, n)
	for i := range n {
		m.sources[i] = source(i)
		key, err := text("source_id", m.sources[i], MaxSource)
		switch {
		case err != nil:
		case key == "":
			err = protocol.Errorf(protocol.CodeRequired, "source_id", "is absent: every row wants the id that it has at its source")
		case strings.ContainsAny(key, "\n\t"):
			err = protocol.Errorf(protocol.CodeText, "source_id", "is more than one line")
		case len(key) > maxSourceBytes:
			err = protocol.Errorf(protocol.CodeTooLarge, "source_id", "%d characters of %d bytes, at most %d bytes: shorten it", utf8.RuneCountInString(key), len(key), maxSourceBytes)
		case seen[key]:
			err = protocol.Errorf(protocol.CodeRepeated, "source_id", "“%s” stands in a row before this one already: keep one of them", clip(key, 80))
		}
		seen[key] = true
		m.keys[i], m.faults[i] = key, err
	}
}

// run carries out all of it, a group at a time.
func (m *importer) run(ctx context.Context, note func(*store.Tx, []ImportResult) error) ([]ImportResult, error) {
	m.results = make([]ImportResult, 0, len(m.keys))
	for from := 0; from < len(m.keys); {
		if err := ctx.Err(); err != nil {
			return m.results, stopped(err)
		}
		results, err := m.group(ctx, from, min(from+importGroup, len(m.keys)), note)
		if err != nil {
			return m.results, err
		}
		m.results = append(m.results, results...)
		from += len(results)
	}
	return m.results, nil
}

func stopped(err error) error {
	return &protocol.Error{Code: protocol.CodeUnavailable, Message: "the import was stopped: send the rest again", Err: err}
}
