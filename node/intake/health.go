package intake

import (
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Health of the imports of a node, for its operator.
type Health struct {
	Unfinished int       // jobs that are queued or worked on
	Waiting    int       // jobs that wait until somebody confirms how many listings they withdraw
	Oldest     time.Time // when the first of all these began; zero for none
	Failing    []Trouble // repositories whose newest harvest failed, the first by name first
	Overdue    []Trouble // repositories that the clock should have harvested hours ago
}

// Trouble with one repository.
type Trouble struct {
	Repository string // organisation and name
	Why        string // "" where it only is late
	Since      time.Time
}

// overdue is how long after its time a harvest by the clock is late: another import may have come before.
const overdue = 6 * time.Hour

// Health looks at what is not finished, and at every repository.
func (p *Imports) Health() (h Health, err error) {
	now := p.now()
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		var ids []JobID
		if err := tx.Rows(store.TableIntake, "u/", "", func(key string, _ []byte) (bool, error) {
			ids = append(ids, JobID(key[len("u/"):]))
			return true, nil
		}); err != nil {
			return err
		}
		for _, id := range ids {
			r, err := read(tx, id)
			if err != nil {
				return err
			}
			if r.State == Waiting {
				h.Waiting++
			} else {
				h.Unfinished++
			}
			if began := r.Created.Time(); h.Oldest.IsZero() || began.Before(h.Oldest) {
				h.Oldest = began
			}
		}
		all, err := sources(tx, "")
		for _, s := range all {
			t := Trouble{Repository: string(s.Organisation) + "/" + s.Name, Since: s.LastRun.Time()}
			if s.LastError != nil {
				t.Why = s.LastError.Message
				h.Failing = append(h.Failing, t)
				continue
			}
			if s.Hours > 0 && s.Next > 0 && s.Next < now-protocol.Instant(overdue/time.Second) {
				t.Since = s.Next.Time()
				h.Overdue = append(h.Overdue, t)
			}
		}
		return err
	})
	byName := func(a, b Trouble) int { return strings.Compare(a.Repository, b.Repository) }
	slices.SortFunc(h.Failing, byName)
	slices.SortFunc(h.Overdue, byName)
	return h, err
}
