package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/tmaxmax/go-sse"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/table"
)

// Imports as jobs of the node: they go on there by themselves, and the command watches.

// jobOptions are what an import is told.
type jobOptions struct {
	org, mapping, errors, job            string
	dryRun, fullSync, drafts, quiet, all bool
	apply, cancel                        bool
	rows, confirm                        int
}

const shownRows = 50

func (o *jobOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.org, "org", "", "id or name of the organisation whose listings they are (tmh org list)")
	f.StringVar(&o.mapping, "mapping", "", "name of one of its mappings (tmh mapping list), or a FILE.json that holds one")
	f.BoolVar(&o.drafts, "drafts", false, "submit nothing: the listings stay drafts")
	f.StringVar(&o.job, "job", "", "take up an import that began before, by its id")
	f.BoolVar(&o.apply, "apply", false, "with --job: carry out what that dry run was about")
	f.BoolVar(&o.cancel, "cancel", false, "with --job: cancel it")
	o.watchFlags(cmd)
}

// watchFlags are those of harvests too.
func (o *jobOptions) watchFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be done, row by row, and change nothing")
	f.BoolVar(&o.fullSync, "full-sync", false, "withdraw what came from there before and is not there any more")
	f.StringVar(&o.errors, "errors", "", "where refused rows go (default: beside the file, as FILE.errors.EXT)")
	f.IntVar(&o.rows, "rows", shownRows, "how many rows of a dry run are shown")
	f.IntVar(&o.confirm, "confirm", 0, "so many listings may be withdrawn, where the import asks")
}

// check what cannot be meant together.
func (o *jobOptions) check(cmd *cobra.Command) error {
	var apart []string
	for _, name := range []string{"mapping", "drafts", "dry-run", "full-sync", "rows", "errors", "confirm", "apply", "cancel"} {
		if !cmd.Flags().Changed(name) {
			continue
		}
		onlyJob, both := name == "apply" || name == "cancel", name == "rows" || name == "errors" || name == "confirm"
		switch {
		case o.job != "" && !onlyJob && !both:
			return fmt.Errorf("--%s was decided when the import began: leave it out with --job", name)
		case o.job == "" && onlyJob:
			return fmt.Errorf("--%s is for an import that began before: name it with --job", name)
		case o.job == "" && o.org == "":
			apart = append(apart, "--"+name)
		}
	}
	switch {
	case o.apply && o.cancel:
		return errors.New("take one of --apply and --cancel")
	case len(apart) > 0:
		return fmt.Errorf("%s: say with --org whose listings they are", strings.Join(apart, ", "))
	}
	return nil
}

func jobPath(id intake.JobID) string { return "/api/v1/imports/" + url.PathEscape(string(id)) }

func importJob(cmd *cobra.Command, c client, path, format string, o jobOptions) error {
	ctx := cmd.Context()
	if path == "-" && format == "" {
		return errors.New("what standard input holds is not said: add --format csv, --format xlsx or --format jsonl")
	}
	known := slices.Contains(table.Formats(), table.Format(format))
	if !known && cmd.Flags().Changed("format") {
		return fmt.Errorf("%q is no format that is read: take csv, xlsx or jsonl", format)
	}
	var inline []byte
	if strings.HasSuffix(o.mapping, ".json") {
		var err error
		if inline, err = os.ReadFile(o.mapping); err != nil {
			return err
		}
		o.mapping = ""
	}
	org, err := c.organisation(ctx, o.org)
	if err != nil {
		return err
	}
	f := os.Stdin
	q := url.Values{"mapping": {o.mapping}, "dry_run": {fmt.Sprint(o.dryRun)}, "full_sync": {fmt.Sprint(o.fullSync)}, "drafts": {fmt.Sprint(o.drafts)}}
	if known {
		q.Set("format", format)
	}
	if path != "-" {
		if f, err = os.Open(path); err != nil {
			return err
		}
		defer f.Close()
		q.Set("filename", filepath.Base(path))
	}
	var j api.ImportJob
	if err := c.upload(ctx, "/api/v1/organisations/"+url.PathEscape(string(org.ID))+"/imports?"+q.Encode(), f, inline, &j); err != nil {
		return err
	}
	if o.errors == "" {
		o.errors = errorsFile(path, j.Format)
	}
	return watch(cmd, c, j, o)
}

// errorsFile is where refused rows of a file go.
func errorsFile(path string, f table.Format) string {
	if path == "-" || path == "" {
		path = "import"
	}
	if f == intake.Harvested {
		f = table.CSV
	}
	return strings.TrimSuffix(path, filepath.Ext(path)) + ".errors." + string(f)
}

// upload a file as the body, or, with a mapping of its own, as a form.
func (c client) upload(ctx context.Context, path string, f io.Reader, inline []byte, into any) error {
	body, kind := io.NopCloser(f), "application/octet-stream"
	if inline != nil {
		r, w := io.Pipe()
		form := multipart.NewWriter(w)
		body, kind = r, form.FormDataContentType()
		go func() {
			err := form.WriteField("mapping", string(inline))
			var part io.Writer
			if err == nil {
				part, err = form.CreateFormFile("file", "file")
			}
			if err == nil {
				_, err = io.Copy(part, f)
			}
			_ = w.CloseWithError(cmp.Or(err, form.Close())) // never fails
		}()
		defer r.Close()
	}
	answer, err := c.do(ctx, http.MethodPost, path, body, kind)
	if err != nil {
		return err
	}
	defer answer.Close()
	return json.NewDecoder(answer).Decode(into)
}

// takeUp an import that began before.
func takeUp(cmd *cobra.Command, c client, o jobOptions) error {
	ctx, id := cmd.Context(), intake.JobID(o.job)
	var j api.ImportJob
	switch {
	case o.apply:
		if err := c.send(ctx, http.MethodPost, jobPath(id)+"/apply", 0, nil, &j); err != nil {
			return err
		}
	case o.cancel:
		if err := c.send(ctx, http.MethodPost, jobPath(id)+"/cancel", 0, nil, &j); err != nil {
			return err
		}
	default:
		if err := c.get(ctx, jobPath(id), &j); err != nil {
			return err
		}
	}
	if o.errors == "" {
		o.errors = errorsFile(j.Filename, j.Format)
	}
	return watch(cmd, c, j, o)
}

// watch an import to its end, and say what became of it.
func watch(cmd *cobra.Command, c client, j api.ImportJob, o jobOptions) error {
	ctx, p := cmd.Context(), statusLine{cmd: cmd, quiet: o.quiet}
	if len(j.Missing) > 0 {
		cmd.PrintErrf("The mapping reads columns that are not there: %s\n", printable(strings.Join(j.Missing, ", ")))
	}
	if len(j.Unused) > 0 {
		cmd.PrintErrf("Columns that the mapping does not read: %s\n", printable(strings.Join(j.Unused, ", ")))
	}
	confirmed := false
	for {
		now, err := c.follow(ctx, j.ID, p.show)
		p.clear()
		switch {
		case errors.Is(err, context.Canceled) && ctx.Err() != nil:
			cmd.PrintErrln("The import is being cancelled: what it did stays, and it withdraws nothing. (Ctrl-C again ends this command at once.)")
			ctx = context.WithoutCancel(ctx)
			err := c.send(ctx, http.MethodPost, jobPath(j.ID)+"/cancel", 0, nil, nil)
			if now, again := c.follow(ctx, j.ID, p.show); again == nil && now.State.Finished() { // also where it had just ended
				return c.report(ctx, cmd, now, o)
			}
			return err
		case err != nil:
			return fmt.Errorf("the progress of the import %s cannot be seen now. The node carries it on by itself; to see it again: tmh import --job %s (%w)", j.ID, j.ID, err)
		case now.State != intake.Waiting:
			return c.report(ctx, cmd, now, o)
		case now.Gone != o.confirm || confirmed:
			return fmt.Errorf("the import waits, and nothing was withdrawn yet: %d of the %d listings that came from here are not there any more.\n"+
				"To withdraw them: tmh import --job %s --confirm %d\nTo leave them: tmh import --job %s --cancel", now.Gone, now.Stock, j.ID, now.Gone, j.ID)
		}
		if err := c.send(ctx, http.MethodPost, jobPath(j.ID)+"/confirm", 0, map[string]int{"withdrawals": o.confirm}, nil); err != nil {
			return err
		}
		confirmed = true
	}
}

// follow the events of an import until it is finished, or waits.
func (c client) follow(ctx context.Context, id intake.JobID, each func(api.ImportJob)) (j api.ImportJob, err error) {
	for {
		body, err := c.do(ctx, http.MethodGet, jobPath(id)+"/events", nil, "")
		if err != nil {
			return j, err
		}
		heard := false
		for event, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: 1 << 20}) {
			if err != nil {
				_ = body.Close()
				return j, cmp.Or(ctx.Err(), err)
			}
			if event.Type != "import" {
				_ = body.Close()
				return j, errors.New("the node could not say how the import goes on")
			}
			if err := json.Unmarshal([]byte(event.Data), &j); err != nil {
				_ = body.Close()
				return j, err
			}
			heard = true
			if j.State.Finished() || j.State == intake.Waiting {
				return j, body.Close()
			}
			each(j)
		}
		_ = body.Close()
		if !heard {
			return j, cmp.Or(ctx.Err(), io.ErrUnexpectedEOF)
		}
	}
}
