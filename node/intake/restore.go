package intake

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// What a restored backup says of imports is of its day: the files are not in it, and listings that were imported since come back from the
// other members without their ids at the source. So nothing of it goes on by itself: it would publish them a second time.

const restoredAtOnce = 100 // jobs or repositories that share a transaction

// AfterRestore ends the jobs that are not finished and the schedules of all repositories, and lets the next harvest ask for everything. Nothing
// may be carried out meanwhile.
func AfterRestore(s *store.Store, now func() time.Time) error {
	at := protocol.InstantOf(now())
	return errors.Join(
		eachUnder(s, "u/", func(tx *store.Tx, key string) error { return endRestored(tx, JobID(strings.TrimPrefix(key, "u/")), at) }),
		eachUnder(s, "r/", func(tx *store.Tx, key string) error { return stopRestored(tx, key, at) }),
	)
}

// eachUnder calls f with every key below a prefix, some of them to a transaction.
func eachUnder(s *store.Store, prefix string, f func(tx *store.Tx, key string) error) error {
	for after := ""; ; {
		var keys []string
		err := s.Update(func(tx *store.Tx) error {
			keys = keys[:0]
			if err := tx.Rows(store.TableIntake, prefix, after, func(key string, _ []byte) (bool, error) {
				keys = append(keys, key)
				return len(keys) < restoredAtOnce, nil
			}); err != nil {
				return err
			}
			for _, key := range keys {
				if err := f(tx, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(keys) < restoredAtOnce {
			return err
		}
		after = keys[len(keys)-1]
	}
}

func endRestored(tx *store.Tx, id JobID, at protocol.Instant) error {
	r, err := read(tx, id)
	if protocol.CodeOf(err) == protocol.CodeNotFound {
		return tx.DeleteRow(store.TableIntake, "u/"+string(id))
	}
	if err != nil {
		return err
	}
	r.State, r.Ended, r.Delayed = Failed, at, ""
	what := "send the file again"
	if r.Format == Harvested {
		what = "harvest the repository again"
	}
	r.Error = protocol.Errorf(protocol.CodeConflict, "import", "this node was restored from a backup on %s, which has no files of imports: %s, when the agency has adopted the listings that came back without their postings", day(at), what)
	return write(tx, r)
}

func stopRestored(tx *store.Tx, key string, at protocol.Instant) error {
	var s Source
	if found, err := load(tx, key, &s); err != nil || !found {
		return err
	}
	next := "then harvest the repository"
	if s.Hours > 0 {
		next = fmt.Sprintf("then set the schedule again, which was every %d hours", s.Hours)
	}
	s.LastError = protocol.Errorf(protocol.CodeConflict, "repository", "this node was restored from a backup on %s: let the agency adopt the listings that came back without their postings (GET /api/v1/postings/missing), with their source ids, or they are published a second time; %s", day(at), next)
	s.Since, s.LastAll = time.Time{}, 0
	if s.Hours > 0 {
		s.Hours, s.First, s.Next = 0, 0, 0
		s.Version++
	}
	return save(tx, key, &s)
}

func day(at protocol.Instant) string { return protocol.DateOf(at.Time()).String() }
