package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/table"
)

// What an import says while it goes on, and when it is over.

// statusLine is progress that stands on the terminal's line.
type statusLine struct {
	cmd          *cobra.Command
	quiet, shown bool
}

func (p *statusLine) show(j api.ImportJob) {
	if p.quiet {
		return
	}
	p.clear()
	p.shown = true
	switch {
	case j.State == intake.Fetching && j.Expected > 0:
		p.cmd.PrintErrf("%d of %d records fetched ", j.Fetched, j.Expected)
	case j.State == intake.Fetching:
		p.cmd.PrintErrf("%d records fetched ", j.Fetched)
	case j.State == intake.Queued:
		p.cmd.PrintErrf("waiting for its turn ")
	default:
		part := ""
		if j.Size > 0 && j.BytesRead <= j.Size {
			part = fmt.Sprintf("%d %% · ", j.BytesRead*100/j.Size)
		}
		p.cmd.PrintErrf("%s%s ", part, countWords(j.Counts))
	}
}

func (p *statusLine) clear() {
	if p.shown {
		p.cmd.PrintErr("\r\x1b[K")
	}
	p.shown = false
}

func countWords(n intake.Counts) string {
	text := fmt.Sprintf("%d rows: %d created, %d changed, %d unchanged, %d refused", n.Rows, n.Created, n.Changed, n.Unchanged, n.Refused)
	for _, more := range []struct {
		n    int
		what string
	}{{n.Ended, "ended here by people"}, {n.Deleted, "deleted at the source"}, {n.Withdrawn, "withdrawn"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	return text
}

// report what became of an import that is over.
func (c client) report(ctx context.Context, cmd *cobra.Command, j api.ImportJob, o jobOptions) error {
	if j.DryRun && j.State == intake.Done {
		if err := c.showRows(ctx, cmd, j, o.rows); err != nil {
			return err
		}
	}
	if j.Notice != "" {
		cmd.PrintErrln("Note:", j.Notice)
	}
	switch {
	case j.State == intake.Failed && j.Error != nil:
		return fmt.Errorf("the import failed (%s); what it did stays: %w", countWords(j.Counts), j.Error)
	case j.State == intake.Cancelled:
		return fmt.Errorf("the import was cancelled (%s): what it did stays", countWords(j.Counts))
	case j.DryRun:
		cmd.Printf("A dry run of %s. Nothing was changed. To carry it out: tmh import --job %s --apply\n", countWords(j.Counts), j.ID)
	default:
		cmd.Printf("%s, in %.1f s\n", countWords(j.Counts), j.Ended.Time().Sub(j.Started.Time()).Seconds())
	}
	if j.Counts.Refused == 0 {
		return nil
	}
	if err := c.saveErrors(ctx, j.ID, o.errors); err != nil {
		return fmt.Errorf("%d rows were refused, and could not be written: %w", j.Counts.Refused, err)
	}
	then := "mend them there, and import that file"
	if j.FullSync {
		then = "mend them in the whole file, and import it again"
	}
	return fmt.Errorf("%d rows were refused: %s has them, with what is wrong in the column %s; %s", j.Counts.Refused, o.errors, table.ErrorColumn, then)
}

// saveErrors writes the refused rows into a new file.
func (c client) saveErrors(ctx context.Context, id intake.JobID, path string) error {
	body, err := c.do(ctx, http.MethodGet, jobPath(id)+"/errors", nil, "")
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and is not overwritten: tmh import --job %s --errors FILE writes them elsewhere", path, id)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// showRows of a dry run: the first of those that are not as they were.
func (c client) showRows(ctx context.Context, cmd *cobra.Command, j api.ImportJob, most int) error {
	n := j.Counts
	total := n.Created + n.Changed + n.Refused + n.Ended + n.Deleted + n.Withdrawn
	shown := 0
	if most > 0 {
		var b bytes.Buffer
		err := pages(ctx, c, jobPath(j.ID)+"/rows", url.Values{"outcome": {"created,changed,refused,ended,deleted,withdrawn"}}, func(p api.ImportRowsPage) string {
			for _, r := range p.Rows {
				if shown == most {
					return ""
				}
				shown++
				showRow(&b, r.Row)
			}
			return p.Next
		})
		if err != nil {
			return err
		}
		cmd.Print(b.String())
	}
	if shown < total {
		cmd.Printf("and %d more: tmh import --job %s --rows %d\n", total-shown, j.ID, total)
	}
	return nil
}

func showRow(w io.Writer, r intake.Row) {
	name := printable(r.Source)
	if r.N > 0 {
		name = strings.TrimSpace(fmt.Sprintf("row %d %s", r.N, name))
	}
	title := ""
	if r.Title != "" {
		title = ": " + quoted(r.Title)
	}
	switch r.Outcome {
	case posting.ImportCreated:
		fmt.Fprintf(w, "%s would be created%s\n", name, title)
	case posting.ImportChanged:
		over := ""
		if r.Edited {
			over = ", over what people changed here since"
		}
		fmt.Fprintf(w, "%s would be changed%s\n", name, over)
		for _, d := range r.Diff {
			fmt.Fprintf(w, "    %s: %s → %s\n", printable(d.Path), quoted(d.Before), quoted(d.After))
		}
	case posting.ImportRefused:
		for _, e := range r.Faults {
			fmt.Fprintf(w, "%s: %s\n", name, printable(inWords(e)))
		}
	case posting.ImportEnded:
		fmt.Fprintf(w, "%s stays ended: people ended the listing here\n", name)
	case intake.Deleted:
		fmt.Fprintf(w, "%s is deleted at the source\n", name)
	case posting.ImportWithdrawn:
		fmt.Fprintf(w, "%s would be withdrawn%s\n", name, title)
	}
}

func quoted(s string) string {
	if s == "" {
		return "nothing"
	}
	return "“" + printable(s) + "”"
}

// printable takes out of a stranger's text what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}
