package intake

import (
	"context"
	"errors"
	"io/fs"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
)

// A file that was sent is read again: people look at its columns and map it in another way, and nobody has to send it twice.

// Look reads the beginning of a job's file, and gives the mapping that the job began with.
//
// Errors: CodeConflict of a harvest, which has no file of columns; CodeNotFound where the file is not here any more.
func (p *Imports) Look(ctx context.Context, a access.Actor, id JobID) (i Inspection, err error) {
	r, err := p.get(a, id, access.ReadImport)
	if err != nil {
		return i, err
	}
	if i, err = p.look(ctx, r); err != nil {
		return i, err
	}
	i.Mapping, err = p.MappingOf(a, id)
	return i, err
}

func (p *Imports) look(ctx context.Context, r *record) (i Inspection, err error) {
	switch {
	case r.Format == Harvested:
		return i, protocol.Errorf(protocol.CodeConflict, "import", "this import came from a repository and has no file: change the mapping of the repository, and harvest it again")
	case !r.Files:
		return i, noFile()
	}
	if i, err = p.inspect(ctx, p.path(r.ID, spoolEnd), r.Filename, r.Format); errors.Is(err, fs.ErrNotExist) {
		err = noFile()
	}
	return i, err
}

// Again begins a dry run of the file of a job by another mapping, which o names or has. The other options of o hold as well.
//
// Errors: as Look, and all faults of the options; CodeQuota.
func (p *Imports) Again(ctx context.Context, a access.Actor, id JobID, o UploadOptions) (j Job, err error) {
	r, err := p.get(a, id, access.ImportPosting)
	if err != nil {
		return j, err
	}
	who, err := p.may(a, r.Organisation)
	if err != nil {
		return j, err
	}
	in, err := p.look(ctx, r)
	if err != nil {
		return j, err
	}
	o.DryRun, o.Filename = true, r.Filename
	m, version, err := p.chosen(r.Organisation, o)
	if err != nil {
		return j, err
	}
	full, j, err := planned(m, version, who, in, o)
	if err != nil {
		return j, err
	}
	j.ID, j.Size = p.newID(), r.Size
	p.mu.Lock()
	p.arrive[j.ID] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.arrive, j.ID)
		p.mu.Unlock()
	}()
	if err := p.share(id, j.ID); err != nil {
		return j, err
	}
	if err := p.begin(a, r.Organisation, &record{Job: j}, full, &j); err != nil {
		p.dropUnused(j.ID)
		return j, err
	}
	return j, nil
}
