package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
)

func importCmd() *cobra.Command {
	var dir, format string
	var quiet bool
	var o jobOptions
	cmd := &cobra.Command{
		Use:   "import --dir DIR [--org ORG] FILE",
		Short: "Import the listings of a file through the running node",
		Long: "Import the listings of a file through the running node. FILE may be - for standard input, with --format. A file that is\n" +
			"called list or discard is named ./list or ./discard.\n\n" +
			"With --org the listings are that organisation's: the file (CSV, XLSX or JSON Lines) is read by a mapping (tmh mapping),\n" +
			"and goes the way of the organisation's own listings, through review where it does not publish by itself. Rows at fault are\n" +
			"left out, and written into a file with what is wrong; the others go on. A file can be sent again: what says the same stays.\n" +
			"Ctrl-C cancels. What the command left can be taken up again with --job.\n\n" +
			"Without --org the operator publishes listings in the federation's own form (JSON Lines or CSV), past drafts and review.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (o.job == "") == (len(args) == 0) {
				return errors.New("name the file to import, or an import that began before with --job")
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			c, err := dial(dir)
			if err != nil {
				return err
			}
			o.quiet = quiet
			if o.job != "" {
				return takeUp(cmd, c, o)
			}
			if format == "" {
				format = strings.ToLower(strings.TrimPrefix(filepath.Ext(args[0]), "."))
			}
			if o.org != "" {
				return importJob(cmd, c, args[0], format, o)
			}
			if format != "jsonl" && format != "csv" {
				return fmt.Errorf("what %s holds is not said by its name: add --format jsonl or --format csv", args[0])
			}
			f := os.Stdin
			if args[0] != "-" {
				if f, err = os.Open(args[0]); err != nil {
					return err
				}
				defer f.Close()
			}
			return importFile(cmd.Context(), cmd, c, format, f, quiet)
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&format, "format", "", "jsonl, csv or, with --org, xlsx (default by the file's name)")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "show no progress")
	o.flags(cmd)
	cmd.AddCommand(importListCmd(), importDiscardCmd())
	return cmd
}

func importFile(ctx context.Context, cmd *cobra.Command, c client, format string, r io.Reader, quiet bool) error {
	body, err := c.do(ctx, http.MethodPost, "/api/v1/imports?format="+format, io.NopCloser(r), "application/octet-stream")
	if err != nil {
		return err
	}
	defer body.Close()
	events := json.NewDecoder(body)
	var told exchange.ImportCount
	shown := false // progress stands on the terminal's line
	clearLine := func() {
		if shown {
			cmd.PrintErr("\r\x1b[K")
		}
		shown = false
	}
	for {
		var e exchange.ImportEvent
		if err := events.Decode(&e); err != nil {
			clearLine()
			return fmt.Errorf("the node stopped before the import was complete: what it acknowledged stays (the first %d rows at least); send the file again (%w)", told.Rows, err)
		}
		switch {
		case e.Fault != nil:
			clearLine()
			return fmt.Errorf("the import ended early; what was acknowledged stays (the first %d rows at least), and the same file can be sent again: %w", told.Rows, e.Fault)
		case e.Progress != nil:
			if told = *e.Progress; !quiet {
				shown = true
				cmd.PrintErrf("\r%d rows · %d published · %d revised · %d unchanged · %d refused ", told.Rows, told.Published, told.Revised, told.Unchanged, told.Refused)
			}
		case len(e.Errors) > 0:
			clearLine()
			for _, x := range e.Errors {
				cmd.PrintErrln(rowFault(e, x))
			}
		case e.Done != nil:
			clearLine()
			cmd.Printf("%d rows: %d published, %d revised, %d unchanged, %d refused, in %.1f s\n",
				e.Done.Rows, e.Done.Published, e.Done.Revised, e.Done.Unchanged, e.Done.Refused, e.Done.Seconds)
			if e.Done.Refused > 0 {
				return fmt.Errorf("%d rows were refused; mend them and send the file again", e.Done.Refused)
			}
			return nil
		}
	}
}

// rowFault says a fault as "row 3 TO-1: trl: 12 is not …", without the parts that are not known.
func rowFault(e exchange.ImportEvent, x *protocol.Error) string {
	text := fmt.Sprintf("row %d", e.Row)
	if e.ID != "" {
		text += " " + e.ID
	}
	if x.Field != "" {
		text += ": " + x.Field
	}
	return text + ": " + x.Message
}
