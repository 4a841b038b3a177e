package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// How jobs begin: with a file, or with the dry run that went before.

// UploadOptions of a file.
type UploadOptions struct {
	Filename   string
	Format     table.Format     // "" is detected
	Mapping    string           // the name of one that is kept, or
	Inline     *mapping.Mapping // one of its own; neither: the one that is suggested, in a dry run
	DryRun     bool
	FullSync   bool // what came by this mapping, which has to be a kept one, and is not in the file any more is withdrawn
	DraftsOnly bool
}

// Inspection is what a file looks like.
type Inspection struct {
	Format  table.Format    `json:"format"`
	Names   []string        `json:"names"` // of its columns
	Sample  []table.Row     `json:"-"`     // its first rows
	Mapping mapping.Mapping `json:"mapping"`
}

// Inspect reads the beginning of a file and suggests a mapping. Nothing is kept.
//
// Errors: as Upload.
func (p *Imports) Inspect(ctx context.Context, a access.Actor, org access.OrganisationID, r io.Reader, filename string, f table.Format) (i Inspection, err error) {
	who, err := p.may(a, org)
	if err != nil {
		return i, err
	}
	err = p.receive(ctx, org, r, func(_ JobID, path string, _ int64) error {
		if i, err = p.inspect(ctx, path, filename, f); err != nil {
			return err
		}
		i.Mapping = filled(mapping.Suggest(i.Names, i.Sample), who)
		return os.Remove(path)
	})
	return i, err
}

// receive a file under a new id, and hand it to do. What do does not move away goes where it fails.
func (p *Imports) receive(ctx context.Context, org access.OrganisationID, r io.Reader, do func(id JobID, path string, size int64) error) error {
	if !p.uploads.TryAcquire(1) {
		return protocol.Errorf(protocol.CodeUnavailable, "file", "%d files are being sent already: try again in a minute", uploads)
	}
	defer p.uploads.Release(1)
	id := p.newID()
	p.mu.Lock()
	enough := p.sending[org] >= uploads/2
	if !enough {
		p.arrive[id] = true
		p.sending[org]++
	}
	p.mu.Unlock()
	if enough {
		return protocol.Errorf(protocol.CodeUnavailable, "file", "%d files of this organisation are being sent already: try again in a minute", uploads/2)
	}
	defer func() {
		p.mu.Lock()
		delete(p.arrive, id)
		if p.sending[org]--; p.sending[org] == 0 {
			delete(p.sending, org)
		}
		p.mu.Unlock()
	}()
	size, err := p.spool(ctx, org, p.path(id, partEnd), r)
	if err == nil {
		err = do(id, p.path(id, partEnd), size)
	}
	if err != nil {
		p.dropUnused(id)
	}
	return err
}

func (p *Imports) inspect(ctx context.Context, path, filename string, f table.Format) (i Inspection, err error) {
	if err := p.opening.Acquire(ctx, 1); err != nil { // a workbook takes memory
		return i, &protocol.Error{Code: protocol.CodeTruncated, Field: "file", Message: "sending was broken off: send the file again", Err: err}
	}
	defer p.opening.Release(1)
	if f == "" {
		if f, err = table.DetectFile(path, filename); err != nil {
			return i, err
		}
	}
	if !slices.Contains(table.Formats(), f) {
		return i, protocol.Errorf(protocol.CodeValue, "format", "is none that is read: take csv, xlsx or jsonl, or leave it out")
	}
	t, err := table.Open(path, f, p.tableLimits())
	if err != nil {
		return i, err
	}
	defer t.Close()
	i.Format = f
	for len(i.Sample) < sampleRows {
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return i, err
		}
		i.Sample = append(i.Sample, row)
	}
	if i.Names = t.Names(); i.Names == nil {
		i.Names = names(i.Sample)
	}
	return i, nil
}

func (p *Imports) tableLimits() table.Limits {
	l := p.cfg.Limits.Table
	l.Temp = filepath.Join(p.cfg.Dir, tempName)
	if free, err := p.spare(); err == nil { // its texts lie there unpacked, of several workbooks at a time
		l.Unpacked = min(l.Unpacked, max(free/8, 1<<20))
	}
	return l
}

// Upload takes a file in and queues its import. When it returns the file is durable, can be opened, and the mapping fits it.
//
// Errors: all faults of the options; those of the file and its header; CodeQuota where too many imports are not finished; CodeUnavailable
// and CodeReadOnly where there is no room now.
func (p *Imports) Upload(ctx context.Context, a access.Actor, org access.OrganisationID, r io.Reader, o UploadOptions) (j Job, err error) {
	who, err := p.may(a, org)
	if err != nil {
		return j, err
	}
	m, version, err := p.chosen(org, o)
	if err != nil {
		return j, err
	}
	if err := p.cfg.Store.View(func(tx *store.Tx) error { return p.mayQueue(tx, org) }); err != nil { // before anybody sends a gigabyte in vain
		return j, err
	}
	err = p.receive(ctx, org, r, func(id JobID, path string, size int64) error {
		in, err := p.inspect(ctx, path, o.Filename, o.Format)
		if err != nil {
			return err
		}
		full, job, err := planned(m, version, who, in, o)
		if err != nil {
			return err
		}
		job.ID, job.Size = id, size
		if err := os.Rename(path, p.path(id, spoolEnd)); err != nil {
			return fmt.Errorf("keep a file: %w", err)
		}
		if err := p.syncFolder(); err != nil {
			return fmt.Errorf("keep a file: %w", err)
		}
		return p.begin(a, org, &record{Job: job}, full, &j)
	})
	return j, err
}

// planned is a job for what a file looks like, with its mapping: m, or the one that is suggested. A suggestion that reads nothing of the
// file stands: its dry run says so of every row, and people look at the columns.
func planned(m *mapping.Mapping, version uint64, who Organisation, in Inspection, o UploadOptions) (full mapping.Mapping, j Job, err error) {
	suggested := m == nil
	if suggested {
		s := mapping.Suggest(in.Names, in.Sample)
		m = &s
	}
	full = filled(*m, who)
	if _, err := full.Compile(); err != nil {
		return full, j, err
	}
	if !suggested {
		if err := fits(&full, in); err != nil {
			return full, j, err
		}
	}
	return full, Job{Filename: plainName(o.Filename), Format: in.Format, Mapping: o.Mapping, MappingVersion: version,
		Options: Options{DryRun: o.DryRun, FullSync: o.FullSync, DraftsOnly: o.DraftsOnly},
		Unused:  shortened(full.Unused(in.Names)), Missing: shortened(full.Missing(in.Names))}, nil
}

// begin a job in a transaction of its own, and say how it is.
func (p *Imports) begin(a access.Actor, org access.OrganisationID, r *record, m mapping.Mapping, j *Job) error {
	err := p.cfg.Store.Update(func(tx *store.Tx) error { return p.create(tx, a, r, org, m) })
	if err == nil {
		*j = r.Job
		p.queued.wake()
	}
	return err
}

// chosen is the mapping that the options name; nil where it is to be suggested.
func (p *Imports) chosen(org access.OrganisationID, o UploadOptions) (m *mapping.Mapping, version uint64, err error) {
	var faults protocol.Errors
	switch {
	case o.Mapping != "" && o.Inline != nil:
		faults = append(faults, protocol.Errorf(protocol.CodeConflict, "mapping", "is named and also sent: take one of them"))
	case o.Inline != nil:
		faults, m = protocol.All(o.Inline.Validate()), o.Inline
	case o.Mapping != "":
		var s Saved
		if err := p.cfg.Store.View(func(tx *store.Tx) (err error) { s, err = p.saved(tx, org, o.Mapping); return err }); err != nil {
			faults = protocol.All(err)
		}
		m, version = &s.Mapping, s.Version
	case !o.DryRun:
		faults = append(faults, protocol.Errorf(protocol.CodeRequired, "mapping", "is absent: name a kept mapping, or send one; a dry run suggests one"))
	}
	if o.FullSync && o.Mapping == "" {
		faults = append(faults, protocol.Errorf(protocol.CodeConflict, "full_sync", "needs a kept mapping: what came by it, and by no other, is compared with the file"))
	}
	if len(faults) > 0 {
		return nil, 0, faults
	}
	return m, version, nil
}

// fits refuses a mapping that reads nothing of the file.
func fits(m *mapping.Mapping, in Inspection) error {
	reads := m.Names()
	if len(in.Names) == 0 || len(m.Missing(in.Names)) < len(reads) {
		return nil
	}
	return protocol.Errorf(protocol.CodeConflict, "mapping", "does not fit the file: it reads %s, and the file has %s. Choose another mapping, or change this one", quoted(reads), quoted(in.Names))
}

// quoted is a list of names for people, not all of a long one.
func quoted(all []string) string {
	const most = 30
	if len(all) == 0 {
		return "no columns"
	}
	var b strings.Builder
	for i, s := range all {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(all)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("“" + clip(s, 60) + "”")
	}
	return b.String()
}

func shortened(all []string) []string {
	all = slices.Clone(all[:min(len(all), 20)])
	for i, s := range all {
		all[i] = clip(s, 60)
	}
	return all
}

// clip shortens a text for people.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// plainName is what a sender calls the file, as a label.
func plainName(s string) string {
	s = strings.ReplaceAll(s, `\`, "/")
	s = s[strings.LastIndexByte(s, '/')+1:]
	return clip(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s), 120)
}

// mayQueue refuses one more import where an organisation has enough of them.
func (p *Imports) mayQueue(tx *store.Tx, org access.OrganisationID) error {
	n := 0
	if err := tx.Rows(store.TableIntake, "u/", "", func(_ string, of []byte) (bool, error) {
		if string(of) == string(org) {
			n++
		}
		return true, nil
	}); err != nil {
		return err
	}
	if n >= p.cfg.Limits.Jobs {
		return protocol.Errorf(protocol.CodeQuota, "", "%d imports of this organisation are not finished, which is the most: wait for one to end, or cancel one", n)
	}
	return nil
}

// create queues a job.
func (p *Imports) create(tx *store.Tx, a access.Actor, r *record, org access.OrganisationID, m mapping.Mapping) error {
	if err := p.mayQueue(tx, org); err != nil {
		return err
	}
	if r.ID == "" {
		r.ID = p.newID()
	}
	r.Organisation, r.State, r.Created, r.Files = org, Queued, p.now(), true
	r.By, r.Token, r.Operator = a.User, a.Token, a.Operator
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := tx.SetRow(store.TableIntake, "t/"+string(r.ID), b); err != nil {
		return err
	}
	if err := tx.SetRow(store.TableIntake, "o/"+string(org)+"/"+r.ID.inverse(), []byte(r.ID)); err != nil {
		return err
	}
	if r.Repository != "" {
		if err := p.occupy(tx, r); err != nil {
			return err
		}
	}
	if err := write(tx, r); err != nil {
		return err
	}
	return p.audit(tx, a, "import.start", "import", string(r.ID), org, map[string]string{"format": string(r.Format), "dry_run": fmt.Sprint(r.DryRun), "full_sync": fmt.Sprint(r.FullSync), "scheduled": fmt.Sprint(r.Scheduled)})
}

// MappingOf a job, as it was when the job began.
func (p *Imports) MappingOf(a access.Actor, id JobID) (m mapping.Mapping, err error) {
	if _, err := p.get(a, id, access.ReadImport); err != nil {
		return m, err
	}
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		_, err := load(tx, "t/"+string(id), &m)
		return err
	})
	return m, err
}
