package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/store"
)

// Filter says which entries are wanted. What is empty asks for nothing.
type Filter struct {
	Actor        string // a person's id, or a pseudonym
	Kind         ActorKind
	Action       string // one action, or with a dot at the end all that begin so: "posting."
	ResourceKind string
	Resource     string    // with ResourceKind person: a person's id, or a pseudonym
	From, Until  time.Time // from From on, before Until
}

// MaxPage is how many entries a page holds at most.
const MaxPage = 500

// maxLooked bounds how many entries one call of List reads, so that a filter that nothing fits cannot occupy the node.
const maxLooked = 20000

// List is the entries that fit, newest first, below the number before (0: from the newest on). A page may be short and even
// empty though more follow: as long as next is not 0, ask again with before = next. Damaged entries are left out; Verify
// names them.
func (l *Log) List(tx *store.Tx, f Filter, before uint64, limit int) (entries []Entry, next uint64, err error) {
	if f, err = l.named(tx, f); err != nil {
		return nil, 0, err
	}
	if limit < 1 || limit > MaxPage {
		limit = MaxPage
	}
	head, err := l.Head(tx)
	if err != nil {
		return nil, 0, err
	}
	seq := head.Seq
	if before > 0 {
		seq = min(seq, before-1)
	}
	for looked := 0; seq > 0; seq-- {
		if looked++; looked > maxLooked || len(entries) == limit {
			return entries, seq + 1, nil
		}
		row, err := tx.Row(store.TableAudit, entryKey(seq))
		if err != nil {
			return nil, 0, err
		}
		if e, err := decode(row); err == nil && f.fits(e) {
			entries = append(entries, *e)
		}
	}
	return entries, 0, nil
}

// named puts pseudonyms in the place of people's ids.
func (l *Log) named(tx *store.Tx, f Filter) (Filter, error) {
	for _, s := range []*string{&f.Actor, &f.Resource} {
		if *s == "" || s == &f.Resource && f.ResourceKind != ResourcePerson || len(*s) > maxName {
			continue
		}
		name, err := l.known(tx, *s)
		if err != nil {
			return f, err
		}
		if name != "" {
			*s = name
		}
	}
	return f, nil
}

func (f *Filter) fits(e *Entry) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	action := is(f.Action, e.Action) || strings.HasSuffix(f.Action, ".") && strings.HasPrefix(e.Action, f.Action)
	return action && is(f.Actor, e.Actor) && is(string(f.Kind), string(e.Kind)) && is(f.ResourceKind, e.ResourceKind) &&
		is(f.Resource, e.Resource) && (f.From.IsZero() || !e.At.Before(f.From)) && (f.Until.IsZero() || e.At.Before(f.Until))
}

// Export writes the entries that fit as JSON Lines, oldest first, and returns how many. It reads the log in pieces, so that a
// slow reader does not hold a transaction open.
func (l *Log) Export(ctx context.Context, s *store.Store, w io.Writer, f Filter) (n int, err error) {
	if err := s.View(func(tx *store.Tx) error { f, err = l.named(tx, f); return err }); err != nil {
		return 0, err
	}
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for after, more := "", true; more; {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var piece []*Entry
		more = false
		if err := s.View(func(tx *store.Tx) error {
			looked := 0
			return tx.Rows(store.TableAudit, "", after, func(key string, row []byte) (bool, error) {
				after, looked = key, looked+1
				if e, err := decode(row); err == nil && f.fits(e) {
					piece = append(piece, e)
				}
				more = looked == MaxPage
				return !more, nil
			})
		}); err != nil {
			return n, err
		}
		for _, e := range piece {
			if err := enc.Encode(e); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, out.Flush()
}
