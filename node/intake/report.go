package intake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// The report of a job: a line for every row of its file, and one for every listing that it withdrew.

// Deleted is the outcome of a record of which the repository says that it is no more. What came from it is withdrawn at the job's end.
const Deleted posting.ImportOutcome = "deleted"

// Row of a report.
type Row struct {
	N       int                   `json:"n,omitempty"` // as table.Row has it; 0: a listing that is withdrawn since its source is gone
	Source  string                `json:"source,omitempty"`
	Unnamed bool                  `json:"unnamed,omitempty"` // its id at the source could not be read
	Outcome posting.ImportOutcome `json:"outcome"`
	Listing protocol.ListingID    `json:"listing,omitempty"`
	State   posting.State         `json:"state,omitempty"`
	Title   string                `json:"title,omitempty"`
	Faults  []*protocol.Error     `json:"faults,omitempty"`
	Diff    []Change              `json:"diff,omitempty"`   // of a dry run
	Edited  bool                  `json:"edited,omitempty"` // of a dry run: people changed it here since, which is overwritten
}

// Change of one member of a listing. Texts are shortened.
type Change struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

const (
	maxChanges  = 50
	maxShown    = 300 // characters of a text in a report
	maxFaults   = 100 // of a row
	maxLine     = 1 << 20
	maxSearched = 8 << 20 // bytes of a report that one page looks through
	maxReport   = 1 << 30 // bytes after which a row has its first fault alone, and no changes
)

func faultsOf(err error) []*protocol.Error {
	all := protocol.All(err)
	out := make([]*protocol.Error, 0, min(len(all), maxFaults))
	for _, e := range all[:min(len(all), maxFaults)] {
		out = append(out, &protocol.Error{Code: e.Code, Field: clip(e.Field, 200), Message: clip(e.Message, 500)})
	}
	return out
}

// openReport of a job to read it.
func (p *Imports) openReport(r *record) (*os.File, error) {
	if !r.Files {
		return nil, noFile()
	}
	f, err := os.Open(p.path(r.ID, reportEnd))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noFile()
	}
	return f, err
}

// lines of a report from an offset to another; f gets where the next begins.
func lines(r io.ReaderAt, from, to int64, f func(b []byte, next int64) (bool, error)) error {
	s := bufio.NewReaderSize(io.NewSectionReader(r, from, to-from), 64<<10)
	var long []byte
	for at := from; at < to; {
		b, err := s.ReadSlice('\n')
		at += int64(len(b))
		if errors.Is(err, bufio.ErrBufferFull) && len(long) < maxLine {
			long = append(long, b...)
			continue
		}
		if err != nil {
			return &protocol.Error{Code: protocol.CodeInternal, Message: "the report of this import is damaged", Err: err}
		}
		if long != nil {
			b, long = append(long, b...), nil
		}
		if more, err := f(b, at); err != nil || !more {
			return err
		}
	}
	return nil
}

// Page of a report.
type Page struct {
	Rows []Row
	Next int64 // where the next page begins, also of what is yet to be written; 0: nothing more comes
}

// Rows of a job's report with one of the outcomes (none: all), from a place on that an earlier page gave (0: the beginning), at most limit. A page
// of rare outcomes may have fewer, or none, and a next one.
//
// Errors: CodeNotFound where the report is not here any more.
func (p *Imports) Rows(a access.Actor, id JobID, outcomes []posting.ImportOutcome, after int64, limit int) (page Page, err error) {
	r, err := p.get(a, id, access.ReadImport)
	if err != nil {
		return page, err
	}
	end := r.At.Report
	if after < 0 || after > end {
		return page, protocol.Errorf(protocol.CodeValue, "after", "is no place in this report: take the one that the page before gave")
	}
	if after == end {
		if !r.State.Finished() {
			page.Next = end
		}
		return page, nil
	}
	f, err := p.openReport(r)
	if err != nil {
		return page, err
	}
	defer f.Close()
	if after > 0 {
		var before [1]byte
		if _, err := f.ReadAt(before[:], after-1); err != nil || before[0] != '\n' {
			return page, protocol.Errorf(protocol.CodeValue, "after", "is no place in this report: take the one that the page before gave")
		}
	}
	limit = min(max(limit, 1), MaxPage)
	err = lines(f, after, end, func(b []byte, next int64) (bool, error) {
		page.Next = next
		var x Row
		if err := json.Unmarshal(b, &x); err != nil {
			return false, &protocol.Error{Code: protocol.CodeInternal, Message: "the report of this import is damaged", Err: err}
		}
		if len(outcomes) == 0 || slices.Contains(outcomes, x.Outcome) {
			page.Rows = append(page.Rows, x)
		}
		return len(page.Rows) < limit && next-after < maxSearched, nil
	})
	if page.Next >= end && r.State.Finished() {
		page.Next = 0
	}
	return page, err
}

// Errors writes the rows that were refused as a file to be corrected and sent again: the job's own file with the column "tmh_errors". Of a harvest
// it is a list of the records.
//
// Errors: CodeNotFound where the files are not here any more; CodeConflict while rows are still to come.
func (p *Imports) Errors(a access.Actor, id JobID, w io.Writer) error {
	r, err := p.get(a, id, access.ReadImport)
	if err != nil {
		return err
	}
	if !r.State.Finished() && r.State != Waiting {
		return protocol.Errorf(protocol.CodeConflict, "import", "this import is not finished: its list of errors is whole then")
	}
	f, err := p.openReport(r)
	if err != nil {
		return err
	}
	defer f.Close()
	if r.Format == Harvested {
		return errorList(f, r.At.Report, w)
	}
	if !p.lists.TryAcquire(1) { // a workbook takes memory
		return protocol.Errorf(protocol.CodeUnavailable, "", "other lists of errors are being written just now: try again in a minute")
	}
	defer p.lists.Release(1)
	refused := refusals{r: f, end: r.At.Report}
	err = table.WriteErrors(w, p.path(id, spoolEnd), r.Format, p.tableLimits(), refused.of)
	return errors.Join(err, refused.err)
}

// refusals walks through a report beside the file that it is about.
type refusals struct {
	r       io.ReaderAt
	at, end int64
	row     Row // the newest that was read
	err     error
}

func (s *refusals) of(n int) (string, bool) {
	for s.err == nil && s.row.N < n && s.at < s.end {
		s.err = lines(s.r, s.at, s.end, func(b []byte, next int64) (bool, error) {
			s.at = next
			var x Row
			if err := json.Unmarshal(b, &x); err != nil {
				return false, err
			}
			if x.N == 0 { // the rows are over
				s.at = s.end
				return false, nil
			}
			s.row = x
			return x.N < n, nil
		})
	}
	if s.row.N != n || s.row.Outcome != posting.ImportRefused {
		return "", false
	}
	return faultText(s.row.Faults), true
}

func faultText(all []*protocol.Error) string {
	var b strings.Builder
	for i, e := range all {
		if i > 0 {
			b.WriteString("; ")
		}
		if e.Field != "" {
			b.WriteString(e.Field + ": ")
		}
		b.WriteString(e.Message)
	}
	return b.String()
}

func errorList(f io.ReaderAt, end int64, w io.Writer) error {
	t, err := table.NewWriter(w, table.CSV, []string{"row", "identifier", "title", table.ErrorColumn})
	if err != nil {
		return err
	}
	err = lines(f, 0, end, func(b []byte, _ int64) (bool, error) {
		var x Row
		if err := json.Unmarshal(b, &x); err != nil || x.Outcome != posting.ImportRefused {
			return true, err
		}
		return true, t.Write([]string{strconv.Itoa(x.N), x.Source, x.Title, faultText(x.Faults)})
	})
	return errors.Join(err, t.Close())
}

// difference of two contents, as far as the source decides it.
func difference(before, after *posting.Content) (all []Change) {
	x, y := *before, *after
	if y.Listing.ValidUntil == 0 { // what people or the node say where the source says nothing stays
		x.Listing.ValidUntil = 0
	}
	if y.Record.Contact == (protocol.Contact{}) {
		x.Record.Contact = protocol.Contact{}
	}
	if len(y.Record.Documents) == 0 {
		x.Record.Documents = nil
	}
	if x.Record.Level != y.Record.Level {
		x.Record.Level, y.Record.Level = x.Record.Visibility(), y.Record.Visibility()
	}
	was, is := flat(x), flat(y)
	paths := make([]string, 0, len(was)+len(is))
	for k := range was {
		paths = append(paths, k)
	}
	for k := range is {
		if _, both := was[k]; !both {
			paths = append(paths, k)
		}
	}
	slices.Sort(paths)
	for _, k := range paths {
		if was[k] != is[k] && len(all) < maxChanges {
			all = append(all, Change{Path: k, Before: clip(was[k], maxShown), After: clip(is[k], maxShown)})
		}
	}
	return all
}

// flat is a content as texts by path.
func flat(x posting.Content) map[string]string {
	out := map[string]string{}
	l := &x.Listing // what the node says, and no source
	l.ID, l.Updated, l.Published, l.Full, l.FullRegistered, l.FullRestricted = "", 0, 0, protocol.Hash{}, protocol.Hash{}, protocol.Hash{}
	b, err := json.Marshal(x)
	if err != nil {
		return out
	}
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&v) == nil {
		flatten(out, "", v)
	}
	return out
}

func flatten(out map[string]string, at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			path := k
			if at != "" {
				path = at + "." + k
			}
			flatten(out, path, x)
		}
	case []any:
		var plain []string
		for i, x := range v {
			switch x.(type) {
			case map[string]any, []any:
				flatten(out, fmt.Sprintf("%s[%d]", at, i), x)
			default:
				plain = append(plain, fmt.Sprint(x))
			}
		}
		if plain != nil {
			out[at] = strings.Join(plain, "; ")
		}
	case nil:
	default:
		if s := fmt.Sprint(v); s != "" {
			out[at] = s
		}
	}
}
