package intake

import (
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// From a dry run to the import.

// Apply begins the import that a finished dry run was about: the same file, mapping and options.
//
// Errors: CodeConflict where it is no finished dry run; CodeNotFound where its file is not here any more; CodeQuota.
func (p *Imports) Apply(a access.Actor, id JobID) (j Job, err error) {
	dry, err := p.get(a, id, access.ImportPosting)
	if err != nil {
		return j, err
	}
	if _, err := p.may(a, dry.Organisation); err != nil {
		return j, err
	}
	switch {
	case !dry.DryRun:
		return j, protocol.Errorf(protocol.CodeConflict, "import", "this import was no dry run: it is carried out already")
	case dry.State != Done:
		return j, protocol.Errorf(protocol.CodeConflict, "import", "this dry run is %s: only one that is done can be applied", dry.State)
	case !dry.Files:
		return j, noFile()
	}
	if err := p.newest(dry); err != nil {
		return j, err
	}
	m, err := p.MappingOf(a, id)
	if err != nil {
		return j, err
	}
	r := &record{Job: dry.Job, At: dry.At}
	r.ID, r.DryRun, r.DryRunOf, r.Version, r.Scheduled = p.newID(), false, id, 0, false
	r.Started, r.Ended, r.Counts, r.BytesRead, r.Gone, r.Stock, r.Confirmed, r.Notice, r.Delayed, r.Error = 0, 0, Counts{}, 0, 0, 0, 0, "", "", nil
	r.At.Rows, r.At.Report, r.At.Imported, r.At.After, r.At.Held = 0, 0, false, "", false
	p.mu.Lock()
	p.arrive[r.ID] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.arrive, r.ID)
		p.mu.Unlock()
	}()
	if err := p.share(id, r.ID); err != nil {
		return j, err
	}
	if err := p.begin(a, dry.Organisation, r, m, &j); err != nil {
		p.dropUnused(r.ID)
		return j, err
	}
	return j, nil
}

// newest refuses to apply a harvest after which the repository was harvested again: it would bring back what it said before.
func (p *Imports) newest(dry *record) error {
	if dry.Repository == "" {
		return nil
	}
	return p.cfg.Store.View(func(tx *store.Tx) error {
		s, err := source(tx, dry.Organisation, dry.Repository)
		if err == nil && s.LastSuccess > dry.Created {
			err = protocol.Errorf(protocol.CodeConflict, "import", "the repository was harvested since this dry run: harvest it again instead")
		}
		return err
	})
}
