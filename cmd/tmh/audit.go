package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/house"
)

func auditCmd() *cobra.Command {
	var since, until, action, actor string
	var export bool
	var most int
	cmd := nodeCommand("audit", "Show what was done on the running node and by whom", cobra.NoArgs, func(cmd *cobra.Command, c client, _ []string) error {
		q := url.Values{}
		for name, said := range map[string]string{"since": since, "until": until} {
			if said == "" {
				continue
			}
			at, err := moment(said, time.Now())
			if err != nil {
				return fmt.Errorf("--%s: %w", name, err)
			}
			q.Set(name, at.UTC().Format(time.RFC3339))
		}
		if action != "" {
			q.Set("action", action)
		}
		if strings.Contains(actor, "@") {
			u, err := c.person(cmd.Context(), actor)
			if err != nil {
				return err
			}
			actor = string(u.ID)
		}
		if actor != "" {
			q.Set("actor", actor)
		}
		if export {
			return c.copy(cmd, "/api/v1/audit/export?"+q.Encode())
		}
		return showAudit(cmd, c, q, most)
	})
	cmd.Long = "Show what was done on the running node and by whom, the newest last. The log names people by pseudonyms; where a person is not\n" +
		"erased, the id stands behind. tmh verify checks the log's chain of hashes."
	cmd.Flags().StringVar(&since, "since", "", "from then on: 24h (ago), 2026-09-21, or 2026-09-21T08:00:00Z")
	cmd.Flags().StringVar(&until, "until", "", "before then")
	cmd.Flags().StringVar(&action, "action", "", "such as user.roles; with a dot at its end all that begin so")
	cmd.Flags().StringVar(&actor, "actor", "", "a person's id or e-mail address, or a pseudonym")
	cmd.Flags().IntVar(&most, "most", 200, "how many of the newest are shown")
	cmd.Flags().BoolVar(&export, "export", false, "print all as JSON Lines with their hashes, the oldest first")
	return cmd
}

// moment of a date, an instant, or a time ago.
func moment(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write it as 24h, 2026-09-21 or 2026-09-21T08:00:00Z", s)
}

func showAudit(cmd *cobra.Command, c client, q url.Values, most int) error {
	var all []house.LogEntry
	if err := pages(cmd.Context(), c, "/api/v1/audit", q, func(p api.AuditPage) string {
		if all = append(all, p.Entries...); len(all) >= most {
			all = all[:max(most, 0)]
			return ""
		}
		return p.Next
	}); err != nil {
		return err
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NO\tWHEN (UTC)\tWHO\tDID\tTO\tDETAIL")
	for _, e := range slices.Backward(all) {
		who := string(e.Kind)
		if e.Actor != "" {
			who += " " + named(e.Actor, e.ActorUser)
		}
		to := e.ResourceKind
		if e.Resource != "" {
			to += " " + named(e.Resource, e.ResourceUser)
		}
		var detail []string
		for k, v := range e.Detail {
			detail = append(detail, k+"="+v)
		}
		slices.Sort(detail)
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.At.UTC().Format(time.DateTime), who, e.Action, to, strings.Join(detail, " "))
	}
	return w.Flush()
}

// named is a pseudonym with whom it stands for, where that is known.
func named(pseudonym, person string) string {
	if person == "" {
		return pseudonym
	}
	return person
}
