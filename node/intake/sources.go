package intake

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Repositories that an organisation has harvested, and when.

// Definition of a repository, as people write it.
type Definition struct {
	harvest.Source
	Mapping    string           `json:"mapping,omitempty"`     // name; "" for Dublin Core
	Hours      int              `json:"hours"`                 // between two harvests; 0: by hand
	First      protocol.Instant `json:"first,omitzero"`        // when the first of these is, such as a night's; zero: at once
	Keep       bool             `json:"keep_deleted"`          // listings stay when the repository says that their records are deleted
	DraftsOnly bool             `json:"drafts_only,omitempty"` // nothing is submitted
}

// Source is a repository with what became of its harvests.
type Source struct {
	Organisation access.OrganisationID `json:"organisation"`
	Name         string                `json:"name"`
	Version      uint64                `json:"version"` // of the definition
	Updated      protocol.Instant      `json:"updated"`
	By           access.UserID         `json:"by,omitempty"`    // who saved it, and in whose name it is harvested by the clock
	Token        access.TokenID        `json:"token,omitempty"` // by which; the clock harvests no longer where it ended
	Operator     bool                  `json:"operator,omitempty"`
	Definition

	Next        protocol.Instant `json:"next,omitzero"` // harvest by the clock
	LastJob     JobID            `json:"last_job,omitempty"`
	LastRun     protocol.Instant `json:"last_run,omitzero"`
	LastSuccess protocol.Instant `json:"last_success,omitzero"`
	LastAll     protocol.Instant `json:"last_all,omitzero"` // when everything was harvested
	LastError   *protocol.Error  `json:"last_error,omitempty"`

	Since          time.Time `json:"since,omitzero"` // by the repository's clock: what the last whole harvest knows
	Granularity    string    `json:"granularity,omitempty"`
	MappingVersion uint64    `json:"mapping_version,omitempty"` // that it was mapped by
}

const (
	maxHours = 31 * 24
	allEvery = 30 * 24 * time.Hour // everything is harvested anew: what was refused, and what a repository forgot to say
)

// SaveSource keeps a repository under a name: a new one (version 0), or in place of the one that is at that version.
//
// Errors: all faults of it; CodeConflict where it is at another version; CodeQuota where there are too many.
func (p *Imports) SaveSource(a access.Actor, org access.OrganisationID, name string, d Definition, version uint64) (s Source, err error) {
	if _, err := p.may(a, org); err != nil {
		return s, err
	}
	faults := append(protocol.All(checkName(name)), protocol.All(d.Validate())...)
	if d.Hours < 0 || d.Hours > maxHours {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "hours", "is %d: take 1 to %d hours between two harvests, or 0 to harvest by hand", d.Hours, maxHours))
	}
	err = p.cfg.Store.Update(func(tx *store.Tx) error {
		faults, s = slices.Clip(faults), Source{}
		if d.Mapping != "" {
			m, err := p.saved(tx, org, d.Mapping)
			if err != nil {
				faults = append(faults, protocol.All(err)...)
			} else if !d.Keep && !ownIdentifier(m.Mapping) {
				faults = append(faults, protocol.Errorf(protocol.CodeConflict, "keep_deleted", "listings of deleted records cannot be found by this mapping, which takes ids from the records' texts: let its id be the repository's own identifier, or set keep_deleted"))
			}
		}
		if len(faults) > 0 {
			return faults
		}
		if _, err := load(tx, sourceKey(org, name), &s); err != nil {
			return err
		}
		if err := atVersion("repository", s.Version, version); err != nil {
			return err
		}
		if n, err := under(tx, sourceKey(org, "")); err != nil {
			return err
		} else if s.Version == 0 && n >= p.cfg.Limits.Sources {
			return protocol.Errorf(protocol.CodeQuota, "", "this organisation has %d repositories, and no more are kept: delete one", n)
		}
		if s.URL != d.URL || s.Prefix != d.Prefix || s.Set != d.Set || s.Mapping != d.Mapping { // another list, or read otherwise
			s.Since, s.LastAll = time.Time{}, 0
		}
		if s.Next == 0 || d.Hours != s.Hours || d.First != s.First {
			if s.Next = 0; d.Hours > 0 {
				s.Next = max(d.First, p.now())
			}
		}
		s.Organisation, s.Name, s.Version, s.Updated, s.By, s.Token, s.Operator, s.Definition = org, name, version+1, p.now(), a.User, a.Token, a.Operator, d
		if err := save(tx, sourceKey(org, name), &s); err != nil {
			return err
		}
		return p.audit(tx, a, "repository.save", "repository", name, org, nil)
	})
	return s, err
}

// ownIdentifier reports whether a mapping takes the repository's own identifier first.
func ownIdentifier(m mapping.Mapping) bool { return len(m.ID) == 0 || m.ID[0] == "" }

// Source of an organisation.
func (p *Imports) Source(a access.Actor, org access.OrganisationID, name string) (s Source, err error) {
	if err := access.Can(a, access.ReadImport, p.resource(org)); err != nil {
		return s, err
	}
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		s, err = source(tx, org, name)
		return err
	})
	return s, err
}

func source(tx *store.Tx, org access.OrganisationID, name string) (s Source, err error) {
	if len(name) > 4*maxName {
		name = ""
	}
	found, err := load(tx, sourceKey(org, name), &s)
	if err == nil && !found {
		err = protocol.Errorf(protocol.CodeNotFound, "repository", "there is no repository of this name: the list of repositories has those that there are")
	}
	return s, err
}

// Sources of an organisation, by name.
func (p *Imports) Sources(a access.Actor, org access.OrganisationID) (all []Source, err error) {
	if err := access.Can(a, access.ReadImport, p.resource(org)); err != nil {
		return nil, err
	}
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		all, err = sources(tx, org)
		return err
	})
	return all, err
}

// sources of an organisation, of all organisations for "".
func sources(tx *store.Tx, org access.OrganisationID) (all []Source, err error) {
	prefix := "r/"
	if org != "" {
		prefix = sourceKey(org, "")
	}
	err = tx.Rows(store.TableIntake, prefix, "", func(_ string, b []byte) (bool, error) {
		var s Source
		err := json.Unmarshal(b, &s)
		all = append(all, s)
		return true, err
	})
	return all, err
}

// DeleteSource that is at a version. What came from it stays.
//
// Errors: CodeConflict where it is at another version.
func (p *Imports) DeleteSource(a access.Actor, org access.OrganisationID, name string, version uint64) error {
	if _, err := p.may(a, org); err != nil {
		return err
	}
	return p.cfg.Store.Update(func(tx *store.Tx) error {
		s, err := source(tx, org, name)
		if err != nil {
			return err
		}
		if err := atVersion("repository", s.Version, version); err != nil {
			return err
		}
		if err := tx.DeleteRow(store.TableIntake, sourceKey(org, name)); err != nil {
			return err
		}
		return p.audit(tx, a, "repository.delete", "repository", name, org, nil)
	})
}

// Trial is what a repository answers before anything of it is kept.
type Trial struct {
	Identity harvest.Identity `json:"identity"`
	Size     int              `json:"size,omitempty"` // records, where the repository says so
	Sample   []table.Row      `json:"-"`              // of its first page
	Names    []string         `json:"names"`          // of the sample's fields
	Formats  []harvest.Format `json:"formats"`        // the first that it lists; none where it does not answer soon
	Sets     []harvest.Set    `json:"sets"`
}

const (
	sampleRows   = 20
	trialList    = 200              // sets and formats at most
	trialListing = 10 * time.Second // to list them
)

// Test asks a repository who it is, and for its first records.
func (p *Imports) Test(ctx context.Context, a access.Actor, org access.OrganisationID, s harvest.Source) (t Trial, err error) {
	if _, err := p.may(a, org); err != nil {
		return t, err
	}
	if err := s.Validate(); err != nil {
		return t, err
	}
	p.mu.Lock()
	enough := p.trying[org] || len(p.trying) >= trials
	if !enough {
		p.trying[org] = true
	}
	p.mu.Unlock()
	if enough {
		return t, protocol.Errorf(protocol.CodeUnavailable, "repository", "other repositories are being tried just now, one of an organisation at a time: try again in a minute")
	}
	defer func() {
		p.mu.Lock()
		delete(p.trying, org)
		p.mu.Unlock()
	}()
	if t.Identity, err = p.cfg.Harvester.Identify(ctx, s); err != nil {
		return t, err
	}
	page, err := p.cfg.Harvester.Page(ctx, s, t.Identity, time.Time{}, "")
	if err != nil {
		return t, err
	}
	t.Size = page.Size
	for i, r := range page.Records {
		if len(t.Sample) == sampleRows {
			break
		}
		t.Sample = append(t.Sample, rowOf(r, i+1))
	}
	t.Names = names(t.Sample)
	t.Formats, t.Sets = p.choices(ctx, s)
	return t, nil
}

// choices are the formats and sets of a repository that can be harvested. Not every one lists them.
func (p *Imports) choices(ctx context.Context, s harvest.Source) ([]harvest.Format, []harvest.Set) {
	ctx, cancel := context.WithTimeout(ctx, trialListing)
	defer cancel()
	formats, _ := p.cfg.Harvester.Formats(ctx, s)
	sets, _ := p.cfg.Harvester.Sets(ctx, s, trialList)
	formats = slices.DeleteFunc(formats, func(f harvest.Format) bool { return harvest.Source{URL: s.URL, Prefix: f.Prefix}.Validate() != nil })
	sets = slices.DeleteFunc(sets, func(x harvest.Set) bool { return harvest.Source{URL: s.URL, Set: x.Spec}.Validate() != nil })
	for i := range sets {
		sets[i].Name = clip(sets[i].Name, 200)
	}
	return slices.Clip(formats[:min(len(formats), trialList)]), sets
}

// names that rows have, in the order in which they first come.
func names(rows []table.Row) (all []string) {
	seen := map[string]bool{}
	for _, r := range rows {
		for _, f := range r.Fields {
			if !seen[f.Name] && len(all) < 1000 {
				seen[f.Name] = true
				all = append(all, f.Name)
			}
		}
	}
	return all
}

// HarvestOptions of a job.
type HarvestOptions struct {
	DryRun   bool
	All      bool // everything, not only what changed since the last time
	FullSync bool // and what the repository does not have any more is withdrawn
}

// Harvest a repository.
//
// Errors: CodeConflict while it is being harvested; CodeQuota where too many imports are not finished.
func (p *Imports) Harvest(a access.Actor, org access.OrganisationID, name string, o HarvestOptions) (Job, error) {
	return p.harvest(a, org, name, o, false)
}

func (p *Imports) harvest(a access.Actor, org access.OrganisationID, name string, o HarvestOptions, scheduled bool) (j Job, err error) {
	who, err := p.may(a, org)
	if err != nil {
		return j, err
	}
	err = p.cfg.Store.Update(func(tx *store.Tx) error {
		s, err := source(tx, org, name)
		if err != nil {
			return err
		}
		m, version := mapping.DublinCore(), uint64(0)
		if s.Mapping != "" {
			kept, err := p.saved(tx, org, s.Mapping)
			if err != nil {
				return err
			}
			m, version = kept.Mapping, kept.Version
		}
		r := &record{Job: Job{Format: Harvested, Repository: name, Mapping: s.Mapping, MappingVersion: version, Scheduled: scheduled,
			Options: Options{DryRun: o.DryRun, All: o.All || o.FullSync, FullSync: o.FullSync, DraftsOnly: s.DraftsOnly}}}
		if s.Since.IsZero() || s.MappingVersion != version || p.now().Time().Sub(s.LastAll.Time()) > allEvery {
			r.All = true
		}
		r.At.Source, r.At.Withdraw = s.Source, !s.Keep
		if !r.All {
			r.At.From = s.Since.Add(-harvest.Identity{Granularity: s.Granularity}.Step())
		}
		if err := p.create(tx, a, r, org, filled(m, who)); err != nil {
			return err
		}
		j = r.Job
		return nil
	})
	if err == nil {
		p.queued.wake()
	}
	return j, err
}

// occupy the repository with a job, unless another has it. Whoever has to confirm the other one may look by a dry run.
func (p *Imports) occupy(tx *store.Tx, r *record) error {
	s, err := source(tx, r.Organisation, r.Repository)
	if err != nil {
		return err
	}
	if s.LastJob != "" {
		if other, err := read(tx, s.LastJob); err == nil && !other.State.Finished() {
			if r.DryRun && other.State == Waiting { // it says what the other would withdraw, and leaves the repository to it
				return nil
			}
			return protocol.Errorf(protocol.CodeConflict, "repository", "this repository is being harvested: wait for that import to end, or cancel it")
		}
	}
	s.LastJob, s.LastRun = r.ID, r.Created
	if r.Scheduled {
		s.advance(r.Created)
	}
	return save(tx, sourceKey(r.Organisation, r.Repository), &s)
}

// advance to the next harvest by the clock after now, at the same time of day.
func (s *Source) advance(now protocol.Instant) {
	every := protocol.Instant(s.Hours) * 3600
	if every > 0 && s.Next <= now {
		s.Next += (1 + (now-s.Next)/every) * every
	}
}

// Due starts the harvests that are due by the clock. Run calls it every minute.
func (p *Imports) Due(ctx context.Context) error {
	var all []Source
	err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
		all, err = sources(tx, "")
		return err
	})
	for _, s := range all {
		if s.Hours == 0 || p.now() < s.Next || ctx.Err() != nil {
			continue
		}
		a, aerr := p.actor(s.By, s.Token, s.Operator)
		if aerr == nil {
			_, aerr = p.harvest(a, s.Organisation, s.Name, HarvestOptions{}, true)
		}
		if aerr != nil {
			err = errors.Join(err, p.missed(s, aerr))
		}
	}
	return errors.Join(err, ctx.Err())
}

// missed notes that a harvest that was due could not begin; the next is due after as many hours again.
func (p *Imports) missed(s Source, cause error) error {
	if c := protocol.CodeOf(cause); c == protocol.CodeConflict || c == protocol.CodeQuota || c == protocol.CodeReadOnly {
		return nil // the one before is not finished yet, or others: soon
	}
	return p.cfg.Store.Update(func(tx *store.Tx) error {
		now, err := source(tx, s.Organisation, s.Name)
		if err != nil || now.Version != s.Version {
			return err
		}
		now.advance(p.now())
		now.LastError = p.shown(cause, "")
		return save(tx, sourceKey(s.Organisation, s.Name), &now)
	})
}
