package main

import (
	"cmp"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/intake"
)

// Imports that the node keeps: which there are, and what is no longer wanted of them.

func importListCmd() *cobra.Command {
	return orgCommand("list", "List an organisation's imports, the newest first", cobra.NoArgs, func(cmd *cobra.Command, c client, at string, _ []string) error {
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tSTARTED\tSTATE\tOF\tFILES\tROWS")
		if err := pages(cmd.Context(), c, at+"/imports", nil, func(p api.ImportsPage) string {
			for _, j := range p.Imports {
				state, files := string(j.State), "discarded"
				if j.DryRun {
					state += " (dry run)"
				}
				if j.Files {
					files = "kept"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", j.ID, j.Created.Time().UTC().Format(time.DateTime), state,
					printable(cmp.Or(j.Filename, j.Repository, "-")), files, countWords(j.Counts))
			}
			return p.Next
		}); err != nil {
			return err
		}
		return w.Flush()
	})
}

func importDiscardCmd() *cobra.Command {
	cmd := nodeCommand("discard JOB", "Delete the files of an import that is over", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, args []string) error {
		if err := c.send(cmd.Context(), http.MethodDelete, jobPath(intake.JobID(args[0])), 0, nil, nil); err != nil {
			return err
		}
		cmd.Printf("The files of the import %s are deleted. Its counts and its listings stay.\n", args[0])
		return nil
	})
	cmd.Long = "Delete the files of an import that is over: what was sent, and its report. Its counts and its listings stay. Refused rows cannot\n" +
		"be written any more, and a dry run cannot be carried out."
	return cmd
}
