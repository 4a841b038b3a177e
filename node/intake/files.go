package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// The files of jobs: what was sent or fetched, and the report of it.

const (
	spoolEnd  = ".spool"
	reportEnd = ".report"
	partEnd   = ".part" // on its way in
	tempName  = "tmp"   // of unpacked workbooks
)

func (p *Imports) path(id JobID, end string) string { return filepath.Join(p.cfg.Dir, string(id)+end) }

// syncFolder makes names that were given durable.
func (p *Imports) syncFolder() error {
	d, err := os.Open(p.cfg.Dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// room for one more file of an organisation, in bytes. Of all the room it takes half at most, so that no other has to wait for it.
//
// Errors: CodeQuota, CodeUnavailable, CodeReadOnly.
func (p *Imports) room(org access.OrganisationID) (int64, error) {
	left, whole, sizes, err := p.taken()
	if err != nil {
		return 0, err
	}
	own := whole / 2
	prefix := "o/" + string(org) + "/"
	if err := p.cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableIntake, prefix, "", func(_ string, id []byte) (bool, error) {
			own -= sizes[JobID(id)]
			return true, nil
		})
	}); err != nil {
		return 0, err
	}
	if own <= 0 {
		return 0, protocol.Errorf(protocol.CodeQuota, "file", "the files of this organisation's imports take half of all the room, which is the most: delete the files of earlier imports, or wait until they go by themselves after %d days", int(p.cfg.Limits.KeepFiles.Hours()/24))
	}
	return min(left, own), nil
}

// taken is how long one more file may be, how much all may take together, and how much each job's do.
func (p *Imports) taken() (left, whole int64, sizes map[JobID]int64, err error) {
	all, err := os.ReadDir(p.cfg.Dir)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("list the files of imports: %w", err)
	}
	used, sizes := int64(0), make(map[JobID]int64, len(all))
	for _, e := range all {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			name, _, _ := strings.Cut(e.Name(), ".")
			used += info.Size()
			sizes[JobID(name)] += info.Size()
		}
	}
	free, err := p.spare()
	if err != nil {
		return 0, 0, nil, err
	}
	whole = min(p.cfg.Limits.Files, (free+used)/10)
	if left = whole - used; left <= 0 {
		return 0, 0, nil, protocol.Errorf(protocol.CodeUnavailable, "file", "the files of imports take all the room that they may: delete the files of earlier imports, or wait until they go by themselves after %d days", int(p.cfg.Limits.KeepFiles.Hours()/24))
	}
	return min(left, p.cfg.Limits.Table.File), whole, sizes, nil
}

// spare is what the disk has beyond what the node needs to go on writing.
func (p *Imports) spare() (int64, error) {
	s := p.cfg.Store.Space()
	need := s.MinFree + s.MinFree/4
	if s.ReadOnly || s.Free <= need {
		return 0, protocol.Errorf(protocol.CodeReadOnly, "file", "this node's disk is nearly full, and it takes no files now: its operator has been told; try again later")
	}
	return int64(min(s.Free-need, 1<<60)), nil
}

const spaceEvery = 8 << 20 // bytes between two looks at the disk

// spool copies what arrives into a file, durably, and says how long it is.
func (p *Imports) spool(ctx context.Context, org access.OrganisationID, path string, r io.Reader) (n int64, err error) {
	most, err := p.room(org)
	if err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("keep a file: %w", err)
	}
	defer f.Close()
	in := &arriving{ctx: ctx, r: r, since: time.Now()}
	for {
		part, err := io.Copy(f, io.LimitReader(in, min(spaceEvery, most+1-n)))
		n += part
		var broken *brokenOff
		switch {
		case errors.As(err, &broken):
			return n, &protocol.Error{Code: protocol.CodeTruncated, Field: "file", Message: "the file did not arrive whole: send it again", Err: broken.error}
		case err != nil:
			return n, fmt.Errorf("keep a file: %w", err)
		case n > most && most == p.cfg.Limits.Table.File:
			return n, protocol.Errorf(protocol.CodeTooLarge, "file", "the file is over %d MiB, which is the most that is taken: split it", most>>20)
		case n > most:
			return n, protocol.Errorf(protocol.CodeUnavailable, "file", "there is no room for a file over %d MiB now: delete the files of earlier imports, or split it", most>>20)
		case part == 0:
			return n, f.Sync()
		}
		if _, err := p.spare(); err != nil {
			return n, err
		}
	}
}

// brokenOff is an error of who sends.
type brokenOff struct{ error }

// Few files arrive at a time, so that one must not stand in the way of the others for long.
const (
	leastPace = 8 << 10 // bytes a second, on average
	headStart = 5 * time.Minute
)

type arriving struct {
	ctx   context.Context
	r     io.Reader
	since time.Time
	n     int64
}

func (a *arriving) Read(b []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, &brokenOff{err}
	}
	if time.Since(a.since) > headStart+time.Duration(a.n/leastPace)*time.Second {
		return 0, &brokenOff{errSlow}
	}
	n, err := a.r.Read(b)
	a.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		var ours *protocol.Error
		if errors.As(err, &ours) {
			return n, &brokenOff{ours}
		}
		err = &brokenOff{err}
	}
	return n, err
}

// share gives a file to another job as well.
func (p *Imports) share(from, to JobID) error {
	err := os.Link(p.path(from, spoolEnd), p.path(to, spoolEnd))
	if errors.Is(err, fs.ErrNotExist) {
		return noFile()
	}
	if err != nil {
		return fmt.Errorf("share the file of an import: %w", err)
	}
	return p.syncFolder()
}

func noFile() error {
	return protocol.Errorf(protocol.CodeNotFound, "file", "the file of this import is not here any more: send it again")
}

// drop the files of a job.
func (p *Imports) drop(id JobID) (err error) {
	for _, end := range []string{spoolEnd, reportEnd, partEnd} {
		if e := os.Remove(p.path(id, end)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("delete a file of an import: %w", e))
		}
	}
	return err
}

// dropUnused files, of a job that did not come about. What stays is swept later.
func (p *Imports) dropUnused(id JobID) {
	if err := p.drop(id); err != nil {
		p.cfg.Log.Warn("a file of imports stays for now", "error", err)
	}
}

// Discard the files of a finished job before their time: what was sent, and the report. The job itself, its counts and the listings stay.
//
// Errors: CodeConflict while it is not finished.
func (p *Imports) Discard(a access.Actor, id JobID) error {
	r, err := p.get(a, id, access.ImportPosting)
	if err != nil {
		return err
	}
	if !r.State.Finished() {
		return protocol.Errorf(protocol.CodeConflict, "import", "this import is not finished: cancel it first")
	}
	return p.forget(id, func(tx *store.Tx) error {
		return p.audit(tx, a, "import.discard", "import", string(id), r.Organisation, nil)
	})
}

// forget the files of a job: the row first, so that nobody is promised a file that is gone.
func (p *Imports) forget(id JobID, also func(*store.Tx) error) error {
	err := p.cfg.Store.Update(func(tx *store.Tx) error {
		r, err := read(tx, id)
		if err != nil {
			return err
		}
		r.Files = false
		if err := write(tx, r); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return err
	}
	p.changed.wake()
	return p.drop(id)
}

const orphanAge = time.Hour

// Sweep deletes files of jobs that ended long ago, files that no job has, and jobs that are too old. Run calls it every hour.
func (p *Imports) Sweep(ctx context.Context) error {
	all, err := os.ReadDir(p.cfg.Dir)
	if err != nil {
		return fmt.Errorf("list the files of imports: %w", err)
	}
	for _, e := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		name, end, _ := strings.Cut(e.Name(), ".")
		id := JobID(name)
		if e.IsDir() || !id.valid() {
			continue
		}
		err = errors.Join(err, p.sweepFile(id, "."+end, e))
	}
	return errors.Join(err, p.sweepJobs(ctx))
}

func (p *Imports) sweepFile(id JobID, end string, e fs.DirEntry) error {
	p.mu.Lock()
	busy := p.arrive[id]
	p.mu.Unlock()
	if busy {
		return nil
	}
	var r *record
	err := p.cfg.Store.View(func(tx *store.Tx) (err error) {
		r, err = read(tx, id)
		return err
	})
	switch {
	case protocol.CodeOf(err) == protocol.CodeNotFound, err == nil && (end == partEnd || !r.Files):
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < orphanAge { // it may be about to get its job
			return nil
		}
		return os.Remove(filepath.Join(p.cfg.Dir, e.Name()))
	case err != nil:
		return err
	case r.State.Finished() && p.cfg.Now().Sub(r.Ended.Time()) > p.cfg.Limits.KeepFiles:
		return p.forget(id, nil)
	}
	return nil
}

const sweptAtOnce = 200

// sweepJobs deletes finished jobs that began too long ago.
func (p *Imports) sweepJobs(ctx context.Context) error {
	before := p.cfg.Now().Add(-p.cfg.Limits.KeepJobs).UnixMilli()
	for ctx.Err() == nil {
		var old []*record
		err := p.cfg.Store.View(func(tx *store.Tx) error {
			return tx.Rows(store.TableIntake, "j/", "", func(key string, _ []byte) (bool, error) {
				id := JobID(strings.TrimPrefix(key, "j/"))
				if int64(id.millis()) >= before || len(old) >= sweptAtOnce {
					return false, nil
				}
				r, err := read(tx, id)
				if err == nil && r.State.Finished() {
					old = append(old, r)
				}
				return true, err
			})
		})
		if err != nil || len(old) == 0 {
			return err
		}
		if err := p.cfg.Store.Update(func(tx *store.Tx) error {
			for _, r := range old {
				for _, key := range []string{"j/" + string(r.ID), "t/" + string(r.ID), "u/" + string(r.ID), "o/" + string(r.Organisation) + "/" + r.ID.inverse()} {
					if err := tx.DeleteRow(store.TableIntake, key); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			return err
		}
		for _, r := range old {
			if err := p.drop(r.ID); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}
