package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/protocol"
)

func harvestCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "harvest",
		Short: "Repositories from which the running node harvests an organisation's listings",
		Long: "Repositories (OAI-PMH) from which the running node harvests an organisation's listings, by hand or every so many hours.\n" +
			"Only what changed is asked for. NAME is what the organisation calls the repository.",
	}
	cmd.AddCommand(harvestAddCmd(), harvestListCmd(), harvestRunCmd(), harvestTestCmd(), harvestDeleteCmd())
	return cmd
}

func repositoryFlags(cmd *cobra.Command, r *api.RepositoryTrialRequest) {
	cmd.Flags().StringVar(&r.Prefix, "prefix", "", "metadata format (default oai_dc)")
	cmd.Flags().StringVar(&r.Set, "set", "", "set of the repository (default: everything)")
}

func harvestAddCmd() *cobra.Command {
	var r api.RepositoryRequest
	cmd := orgCommand("add NAME URL", "Add a repository, or change the one of that name", cobra.ExactArgs(2), func(cmd *cobra.Command, c client, at string, args []string) error {
		r.URL = args[1]
		all, err := c.repositories(cmd, at)
		if err != nil {
			return err
		}
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		var s api.Repository
		if err := c.replace(cmd.Context(), at+"/sources/"+url.PathEscape(args[0]), all[args[0]].Version, b, &s); err != nil {
			return err
		}
		every := "It is harvested by hand: tmh harvest run"
		if s.Hours > 0 {
			every = fmt.Sprintf("It is harvested every %d hours, in the operator's name", s.Hours)
		}
		cmd.Printf("The repository “%s” is kept. %s.\n", s.Name, every)
		return nil
	})
	repositoryFlags(cmd, &r.RepositoryTrialRequest)
	cmd.Flags().StringVar(&r.Mapping, "mapping", "", "name of the organisation's mapping (default: Dublin Core)")
	cmd.Flags().IntVar(&r.Hours, "every", 0, "hours between two harvests (0: by hand)")
	cmd.Flags().StringVar(&r.First, "first", "", "with --every: when the first is, such as 2026-09-21T19:00:00Z (default: at once)")
	cmd.Flags().BoolVar(&r.Keep, "keep-deleted", false, "listings stay when the repository says that their records are deleted")
	cmd.Flags().BoolVar(&r.Drafts, "drafts", false, "submit nothing: the listings stay drafts")
	return cmd
}

// repositories of an organisation by name.
func (c client) repositories(cmd *cobra.Command, at string) (map[string]api.Repository, error) {
	var list api.RepositoriesList
	if err := c.get(cmd.Context(), at+"/sources", &list); err != nil {
		return nil, err
	}
	all := map[string]api.Repository{}
	for _, s := range list.Sources {
		all[s.Name] = s
	}
	return all, nil
}

func harvestListCmd() *cobra.Command {
	return orgCommand("list", "List an organisation's repositories", cobra.NoArgs, func(cmd *cobra.Command, c client, at string, _ []string) error {
		var list api.RepositoriesList
		if err := c.get(cmd.Context(), at+"/sources", &list); err != nil {
			return err
		}
		when := func(t protocol.Instant) string {
			if t == 0 {
				return "never"
			}
			return t.Time().UTC().Format(time.DateTime)
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tADDRESS\tMAPPING\tEVERY\tLAST RUN\tLAST SUCCESS\tFAULT")
		for _, s := range list.Sources {
			every, mapping, fault := "by hand", "Dublin Core", "-"
			if s.Hours > 0 {
				every = fmt.Sprintf("%d h", s.Hours)
			}
			if s.Mapping != "" {
				mapping = s.Mapping
			}
			if s.LastError != nil {
				fault = inWords(s.LastError)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.URL, mapping, every, when(s.LastRun), when(s.LastSuccess), fault)
		}
		return w.Flush()
	})
}

func harvestRunCmd() *cobra.Command {
	var o jobOptions
	cmd := orgCommand("run NAME", "Harvest a repository, and watch", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, at string, args []string) error {
		q := url.Values{"dry_run": {fmt.Sprint(o.dryRun)}, "all": {fmt.Sprint(o.all)}, "full_sync": {fmt.Sprint(o.fullSync)}}
		var j api.ImportJob
		if err := c.send(cmd.Context(), http.MethodPost, at+"/sources/"+url.PathEscape(args[0])+"/harvest?"+q.Encode(), 0, nil, &j); err != nil {
			return err
		}
		if o.errors == "" {
			o.errors = errorsFile(args[0], j.Format)
		}
		return watch(cmd, c, j, o)
	})
	o.watchFlags(cmd)
	cmd.Flags().BoolVar(&o.all, "all", false, "everything, not only what changed since the last harvest")
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "show no progress")
	return cmd
}

func harvestTestCmd() *cobra.Command {
	var r api.RepositoryTrialRequest
	cmd := orgCommand("test URL", "Ask a repository who it is, and for its first records; nothing is kept", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, at string, args []string) error {
		r.URL = args[0]
		var t api.RepositoryTrial
		if err := c.post(cmd.Context(), at+"/sources/test", r, &t); err != nil {
			return err
		}
		cmd.Printf("%s: it says of records that they are deleted: %s; its dates are of the form %s\n", printable(t.Identity.Name), printable(t.Identity.Deleted), printable(t.Identity.Granularity))
		if t.Size > 0 {
			cmd.Printf("%d records\n", t.Size)
		}
		cmd.Printf("Fields: %s\n", printable(strings.Join(t.Columns, ", ")))
		for _, s := range t.Sample {
			cmd.Println(printable(s.Identifier))
			if s.Deleted {
				cmd.Println("    deleted")
			}
			for _, f := range s.Faults {
				cmd.Printf("    cannot be read: %s\n", printable(inWords(f)))
			}
			for _, f := range s.Fields {
				cmd.Printf("    %s: %s\n", printable(f.Name), printable(f.Value))
			}
		}
		return nil
	})
	repositoryFlags(cmd, &r)
	return cmd
}

func harvestDeleteCmd() *cobra.Command {
	return orgCommand("delete NAME", "Delete a repository; what came from it stays", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, at string, args []string) error {
		var s api.Repository
		path := at + "/sources/" + url.PathEscape(args[0])
		if err := c.get(cmd.Context(), path, &s); err != nil {
			return err
		}
		if err := c.send(cmd.Context(), http.MethodDelete, path, s.Version, nil, nil); err != nil {
			return err
		}
		cmd.Printf("The repository “%s” is deleted; what came from it stays.\n", args[0])
		return nil
	})
}
