package intake

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// JobID names a job: "i" and 26 digits of base32, which are in the order of time.
type JobID string

// State of a job.
type State string

// The states.
const (
	Queued    State = "queued"
	Fetching  State = "fetching" // from a repository
	Running   State = "running"
	Waiting   State = "waiting" // for Confirm
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Finished reports whether the job is over.
func (s State) Finished() bool { return s == Done || s == Failed || s == Cancelled }

// Harvested is the format of what was fetched from a repository.
const Harvested table.Format = "oai-pmh"

// Options of a job, as they are kept.
type Options struct {
	DryRun     bool `json:"dry_run"`     // says what would be done, and changes nothing
	FullSync   bool `json:"full_sync"`   // what the source does not have any more is withdrawn
	DraftsOnly bool `json:"drafts_only"` // nothing is submitted
	All        bool `json:"all"`         // of a repository: everything, not only what changed since the last time
}

// Counts of rows by what became of them; in a dry run, by what would.
type Counts struct {
	Rows      int `json:"rows"` // that the report covers
	Created   int `json:"created"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"`
	Ended     int `json:"ended"`     // people ended the listing here; it does not return by itself
	Deleted   int `json:"deleted"`   // the repository says that the record is no more
	Withdrawn int `json:"withdrawn"` // listings whose source is no more; no rows of the file
}

// Job is an import.
type Job struct {
	ID           JobID                 `json:"id"`
	Organisation access.OrganisationID `json:"organisation"`
	State        State                 `json:"state"`
	Version      uint64                `json:"version"` // rises with every change

	Filename       string       `json:"filename,omitempty"`
	Format         table.Format `json:"format"`
	Repository     string       `json:"repository,omitempty"` // name of the source
	Mapping        string       `json:"mapping,omitempty"`    // name of the mapping; "" for one of the job's own
	MappingVersion uint64       `json:"mapping_version,omitempty"`
	Options
	DryRunOf JobID `json:"applies,omitempty"` // the dry run that it carries out

	By        access.UserID  `json:"by,omitempty"` // who started it, or set up its schedule
	Token     access.TokenID `json:"token,omitempty"`
	Operator  bool           `json:"operator,omitempty"`
	Scheduled bool           `json:"scheduled,omitempty"`

	Created protocol.Instant `json:"created"`
	Started protocol.Instant `json:"started,omitzero"`
	Ended   protocol.Instant `json:"ended,omitzero"`

	Counts    Counts `json:"counts"`
	BytesRead int64  `json:"bytes_read"` // of the file, in this pass
	Size      int64  `json:"size"`       // bytes of the file
	Fetched   int    `json:"fetched,omitempty"`
	Expected  int    `json:"expected,omitempty"` // records, where the repository says so

	Unused  []string `json:"unused,omitempty"`  // columns that no rule reads
	Missing []string `json:"missing,omitempty"` // columns that a rule reads and that are not there

	Gone      int    `json:"gone,omitempty"`      // listings that would be withdrawn, of
	Stock     int    `json:"stock,omitempty"`     // so many that came from this origin
	Confirmed int    `json:"confirmed,omitempty"` // how many somebody agreed to withdraw
	Notice    string `json:"notice,omitempty"`    // what was not done, and why
	Delayed   string `json:"delayed,omitempty"`   // why it does not go on just now

	Error *protocol.Error `json:"error,omitempty"` // of a failed one
	Files bool            `json:"files"`           // file and report are still here
}

// record is a job with what only the work needs.
type record struct {
	Job
	At position `json:"at"`
}

// position of a job: where it goes on.
type position struct {
	Rows     int    `json:"rows,omitempty"`     // of the file that the report covers
	Report   int64  `json:"report,omitempty"`   // bytes
	Imported bool   `json:"imported,omitempty"` // all rows are done
	After    string `json:"after,omitempty"`    // of those to be withdrawn, the last that was looked at
	Taken    int    `json:"taken,omitempty"`    // of the group that is being withdrawn, so many are noted
	Held     bool   `json:"held,omitempty"`     // rows were refused for what is here, and may be taken another time

	Source      harvest.Source `json:"source,omitzero"` // as it was when the job began
	From        time.Time      `json:"from,omitzero"`   // the harvest is of what changed since; zero: of everything
	Withdraw    bool           `json:"withdraw,omitempty"`
	Spool       int64          `json:"spool,omitempty"` // bytes fetched
	Pages       int            `json:"pages,omitempty"`
	Token       string         `json:"token,omitempty"` // of the next page
	Response    time.Time      `json:"response,omitzero"`
	Granularity string         `json:"granularity,omitempty"`
	Restarted   bool           `json:"restarted,omitempty"` // the repository forgot its token once
	Complete    bool           `json:"complete,omitempty"`  // all is fetched
}

const idLength = 27

func idEncoding() *base32.Encoding {
	return base32.NewEncoding(idDigits).WithPadding(base32.NoPadding)
}

const idDigits = "0123456789abcdefghijklmnopqrstuv"

// newID is greater than all before it.
func (p *Imports) newID() JobID {
	p.mu.Lock()
	p.last = max(uint64(max(p.cfg.Now().UnixMilli(), 0)), p.last+1)
	at := p.last
	p.mu.Unlock()
	b := binary.BigEndian.AppendUint64(nil, at<<16)
	b = append(b[:6], make([]byte, 10)...)
	_, _ = rand.Read(b[6:]) // never fails
	return JobID("i" + idEncoding().EncodeToString(b))
}

func (id JobID) millis() uint64 {
	if !id.valid() {
		return 0
	}
	b, err := idEncoding().DecodeString(string(id[1:]))
	if err != nil {
		return 0
	}
	return binary.BigEndian.Uint64(b) >> 16
}

func (id JobID) valid() bool {
	if len(id) != idLength || id[0] != 'i' {
		return false
	}
	for _, c := range []byte(id[1:]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'v') {
			return false
		}
	}
	return true
}

// inverse puts the newest first.
func (id JobID) inverse() string {
	b := []byte(id)
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			b[i] = idDigits[31-int(c-'0')]
		case c >= 'a' && c <= 'v':
			b[i] = idDigits[31-int(c-'a'+10)]
		}
	}
	return string(b)
}

func noJob() error {
	return protocol.Errorf(protocol.CodeNotFound, "import", "there is no such import: the list of imports has all that are kept")
}

// read a job; CodeNotFound where there is none.
func read(tx *store.Tx, id JobID) (r *record, err error) {
	if !id.valid() {
		return nil, noJob()
	}
	b, err := tx.Row(store.TableIntake, "j/"+string(id))
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, noJob()
	}
	r = new(record)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, &protocol.Error{Code: protocol.CodeInternal, Message: "an import is damaged", Err: err}
	}
	return r, nil
}

// write a job, and keep the list of those that are not finished.
func write(tx *store.Tx, r *record) error {
	r.Version++
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	id := string(r.ID)
	if err := tx.SetRow(store.TableIntake, "j/"+id, b); err != nil {
		return err
	}
	if !r.State.Finished() {
		return tx.SetRow(store.TableIntake, "u/"+id, []byte(r.Organisation))
	}
	for _, k := range []string{"u/", "c/", "g/"} {
		if err := tx.DeleteRow(store.TableIntake, k+id); err != nil {
			return err
		}
	}
	return nil
}

// get a job that a may see.
func (p *Imports) get(a access.Actor, id JobID, action access.Action) (r *record, err error) {
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		r, err = read(tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, access.Can(a, action, p.resource(r.Organisation))
}

// Job that a may see.
//
// Errors: CodeNotFound, CodeNotPermitted.
func (p *Imports) Job(a access.Actor, id JobID) (Job, error) {
	r, err := p.get(a, id, access.ReadImport)
	if err != nil {
		return Job{}, err
	}
	return r.Job, nil
}

// MaxPage is how many jobs or rows a page has at most.
const MaxPage = 200

// Jobs of an organisation, the newest first, after one ("": from the first).
func (p *Imports) Jobs(a access.Actor, org access.OrganisationID, after JobID, limit int) (all []Job, err error) {
	if err := access.Can(a, access.ReadImport, p.resource(org)); err != nil {
		return nil, err
	}
	limit = min(max(limit, 1), MaxPage)
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		prefix, from := "o/"+string(org)+"/", ""
		if after != "" {
			from = prefix + after.inverse()
		}
		var ids []JobID
		if err := tx.Rows(store.TableIntake, prefix, from, func(_ string, id []byte) (bool, error) {
			ids = append(ids, JobID(id))
			return len(ids) < limit, nil
		}); err != nil {
			return err
		}
		for _, id := range ids {
			r, err := read(tx, id)
			if err != nil {
				return err
			}
			all = append(all, r.Job)
		}
		return nil
	})
	return all, err
}

// watchEvery is how often a watcher hears of a job at most.
const watchEvery = 250 * time.Millisecond

// Watch calls f with the job as it is, and then whenever it changed, at most four times a second, until it is finished, f fails or ctx ends.
func (p *Imports) Watch(ctx context.Context, a access.Actor, id JobID, f func(Job) error) error {
	for seen := uint64(0); ; {
		wait := p.changed.wait()
		j, err := p.Job(a, id)
		if err != nil {
			return err
		}
		if j.Version != seen {
			seen = j.Version
			if err := f(j); err != nil || j.State.Finished() {
				return err
			}
			t := time.NewTimer(p.beat)
			select {
			case <-ctx.Done():
				t.Stop()
				return ctx.Err()
			case <-t.C:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait:
		}
	}
}
