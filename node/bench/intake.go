package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/posting"
	tables "github.com/asean-tmh/tmh/node/table"
	"github.com/asean-tmh/tmh/protocol"
)

// IntakeConfig of a measurement of imports by organisations.
type IntakeConfig struct {
	Config        // Listings is how many rows a file has
	Offers string // JSON Lines with id, title and text, imported beside; "" leaves it out
}

// Intake measures jobs of a node alone: files of invented rows, through a saved mapping, published without review; each file
// once more as it is, and once with a tenth of its rows changed. Every format has a new node: the second of two would be measured on
// a database that the first had filled.
func Intake(ctx context.Context, c IntakeConfig) error {
	if c.Listings < 10 {
		return errors.New("there is nothing to measure: want ten rows or more")
	}
	for _, withoutIndex := range []bool{false, true} {
		if c.NoIndex && !withoutIndex {
			continue
		}
		for _, format := range []tables.Format{tables.CSV, tables.XLSX} {
			if err := c.intake(ctx, format, withoutIndex); err != nil {
				return err
			}
		}
	}
	return nil
}

// intake of files of one format.
func (c IntakeConfig) intake(ctx context.Context, format tables.Format, withoutIndex bool) error {
	b := &intakeBench{IntakeConfig: c, v: newVaried(c.Corpus)}
	b.NoIndex = withoutIndex
	b.Dir = filepath.Join(c.Dir, string(format)+map[bool]string{true: "-without", false: "-with"}[withoutIndex])
	f, err := b.federation(1)
	if err != nil {
		return err
	}
	defer f.Close()
	m := f.Members()[0]
	if err := f.Start(m); err != nil {
		return err
	}
	b.f, b.m = f, m
	b.operator = access.Operator(m)
	o, err := b.house().People.CreateOrganisation(b.operator, access.OrganisationFields{
		Name: "Institute", Type: "university", Size: "large", Country: "KH", Contact: access.Contact{Name: "Desk", Email: "desk@example.org"}, SelfPublish: true,
	})
	if err != nil {
		return err
	}
	b.org = o.ID
	how := "with the match index, which takes in what is published beside"
	if withoutIndex {
		how = "without the match index"
	}
	fmt.Fprintf(b.Out, "\nintake: %s files of %d rows and %d columns, one organisation, published without review, SyncWrites, %d cores, %s\n", strings.ToUpper(string(format)), c.Listings, len(intakeColumns()), runtime.GOMAXPROCS(0), how)
	b.columns = newColumns(b.Out, "", "bytes", "s", "rows/s", "cores", "RssAnon above idle", "still to index", "indexed after s")
	if err := b.format(ctx, format); err != nil {
		return err
	}
	if format == tables.CSV {
		if err := b.offers(ctx); err != nil {
			return err
		}
	}
	b.say("")
	if err := b.columns.w.Flush(); err != nil {
		return err
	}
	_, anon := memory()
	t := newTable(b.Out, "in the end")
	t.row("RssAnon", "%d MiB", anon>>20)
	t.row("largest RssAnon of all", "%d MiB", b.most>>20)
	t.row("on disk", "%d MiB", diskUse(f.Folder(m))>>20)
	return t.w.Flush()
}

type intakeBench struct {
	IntakeConfig
	f        *demo.Federation
	m        protocol.MemberID
	v        *varied
	operator access.Actor
	org      access.OrganisationID
	columns  columns
	most     uint64
}

func (b *intakeBench) house() *house.House { return b.f.Node(b.m).House() }

func (b *intakeBench) say(format string, args ...any) {
	fmt.Fprintf(b.Progress, "\r"+format+"          ", args...)
}

// format measures files of one format: new, the same again, a tenth changed.
func (b *intakeBench) format(ctx context.Context, format tables.Format) error {
	name := string(format)
	if _, err := b.house().Imports.SaveMapping(b.operator, b.org, name, intakeMapping(), 0); err != nil {
		return err
	}
	path, all := filepath.Join(b.Dir, "rows."+name), b.Listings
	tenth := (all + 9) / 10
	for _, step := range []struct {
		what    string
		changed bool
		want    intake.Counts
	}{
		{"new", false, intake.Counts{Rows: all, Created: all}},
		{"the same again", false, intake.Counts{Rows: all, Unchanged: all}},
		{"a tenth changed", true, intake.Counts{Rows: all, Changed: tenth, Unchanged: all - tenth}},
	} {
		b.say("writing %s", path)
		if err := b.write(path, format, step.changed); err != nil {
			return err
		}
		if err := b.send(ctx, path, name, step.what, step.want); err != nil {
			return err
		}
	}
	return os.Remove(path)
}

// offers of a collection, where it is here.
func (b *intakeBench) offers(ctx context.Context) error {
	if b.Offers == "" {
		return nil
	}
	rows, untitled, err := countOffers(b.Offers)
	if err != nil {
		return err
	}
	if _, err := b.house().Imports.SaveMapping(b.operator, b.org, "offers", offersMapping(), 0); err != nil {
		return err
	}
	if err := b.send(ctx, b.Offers, "offers", fmt.Sprintf("new, %d rows", rows), intake.Counts{Rows: rows, Created: rows - untitled, Refused: untitled}); err != nil {
		return err
	}
	return b.send(ctx, b.Offers, "offers", fmt.Sprintf("the same again, %d rows", rows), intake.Counts{Rows: rows, Unchanged: rows - untitled, Refused: untitled})
}

// send a file and wait for its import, which has to end as it should.
func (b *intakeBench) send(ctx context.Context, path, mapping, what string, want intake.Counts) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	_, idle := memory()
	watched := watch()
	start, cpu := time.Now(), cpuTime()
	j, err := b.house().Imports.Upload(ctx, b.operator, b.org, bufio.NewReader(f), intake.UploadOptions{Filename: filepath.Base(path), Mapping: mapping})
	if err == nil {
		j, err = b.ended(ctx, j, what)
	}
	took, cpu := time.Since(start), cpuTime()-cpu
	peak := watched()
	b.most = max(b.most, peak)
	switch {
	case err != nil:
		return err
	case j.State != intake.Done || j.Counts != want:
		return fmt.Errorf("the import of %s (%s) ended as %s with %+v, want %+v%s", path, what, j.State, j.Counts, want, b.refused(j))
	}
	waiting, behind := b.f.Node(b.m).Waiting(), time.Now()
	if err := demo.Await(ctx, "all is indexed", func() bool { return b.f.Node(b.m).Waiting() == 0 }); err != nil {
		return err
	}
	b.columns.row(mapping+", "+what, strconv.FormatInt(info.Size(), 10), fmt.Sprintf("%.1f", took.Seconds()), fmt.Sprintf("%.0f", float64(want.Rows)/took.Seconds()),
		fmt.Sprintf("%.2f", cpu.Seconds()/took.Seconds()), fmt.Sprintf("%d MiB", (max(peak, idle)-idle)>>20), strconv.Itoa(waiting), fmt.Sprintf("%.1f", time.Since(behind).Seconds()))
	return nil
}

// refused says why a job failed, or why one of its rows was refused.
func (b *intakeBench) refused(j intake.Job) string {
	if j.Error != nil {
		return ": " + j.Error.Error()
	}
	page, err := b.house().Imports.Rows(b.operator, j.ID, []posting.ImportOutcome{posting.ImportRefused}, 0, 1)
	if err != nil || len(page.Rows) == 0 {
		return ""
	}
	return fmt.Sprintf("; row %d: %v", page.Rows[0].N, protocol.Errors(page.Rows[0].Faults))
}

// ended waits for the end of a job.
func (b *intakeBench) ended(ctx context.Context, j intake.Job, what string) (intake.Job, error) {
	over := errors.New("the job is over")
	err := b.house().Imports.Watch(ctx, b.operator, j.ID, func(now intake.Job) error {
		j = now
		b.say("%s, %s: %d rows", j.Filename, what, j.Counts.Rows)
		if j.State.Finished() {
			return over
		}
		return nil
	})
	if errors.Is(err, over) || j.State.Finished() {
		err = nil
	}
	return j, err
}

// write a file of rows; with changed every tenth is revised.
func (b *intakeBench) write(path string, format tables.Format, changed bool) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(f, 1<<20)
	t, err := tables.NewWriter(io.Writer(buffered), format, intakeColumns())
	if err != nil {
		return err
	}
	for i := range b.Listings {
		if err := t.Write(b.row(format, i, changed && i%10 == 0)); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), buffered.Flush())
}
