package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/intake"
)

func mappingCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mapping",
		Short: "Mappings by which the running node imports an organisation's files",
		Long: "Mappings by which the running node imports an organisation's files: which column becomes which member of a listing. They\n" +
			"are JSON. To begin with, let one be proposed, mend it in an editor, and save it:\n\n" +
			"  tmh mapping suggest --org ORG offers.xlsx > offers.json\n  tmh mapping save --org ORG 'annual list' offers.json",
	}
	cmd.AddCommand(mappingListCmd(), mappingShowCmd(), mappingSaveCmd(), mappingSuggestCmd(), mappingDeleteCmd())
	return cmd
}

// orgCommand is a command about what an organisation keeps; at is its address in the API.
func orgCommand(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, c client, at string, args []string) error) *cobra.Command {
	var org string
	cmd := nodeCommand(use, short, args, func(cmd *cobra.Command, c client, args []string) error {
		o, err := c.organisation(cmd.Context(), org)
		if err != nil {
			return err
		}
		return run(cmd, c, "/api/v1/organisations/"+url.PathEscape(string(o.ID)), args)
	})
	cmd.Flags().StringVar(&org, "org", "", "id or name of the organisation (tmh org list)")
	_ = cmd.MarkFlagRequired("org")
	return cmd
}

// replace what stands at an address: version is the one that it has, 0 where there is nothing yet.
func (c client) replace(ctx context.Context, path string, version uint64, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://node"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if version > 0 {
		r.Header.Set("If-Match", `"`+strconv.FormatUint(version, 10)+`"`)
	} else {
		r.Header.Set("If-None-Match", "*")
	}
	resp, err := c.http().Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return readProblem(resp)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func mappingListCmd() *cobra.Command {
	return orgCommand("list", "List an organisation's mappings", cobra.NoArgs, func(cmd *cobra.Command, c client, at string, _ []string) error {
		var all api.MappingsList
		if err := c.get(cmd.Context(), at+"/mappings", &all); err != nil {
			return err
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 2, 0, 2, ' ', 0)
		fmt.Fprintln(w, "NAME\tVERSION\tRULES\tSAVED")
		for _, m := range all.Mappings {
			fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", m.Name, m.Version, len(m.Mapping.Rules), m.Updated.Time().UTC().Format(time.DateTime))
		}
		return w.Flush()
	})
}

func (c client) mapping(ctx context.Context, at, name string) (m intake.Saved, err error) {
	return m, c.get(ctx, at+"/mappings/"+url.PathEscape(name), &m)
}

func mappingShowCmd() *cobra.Command {
	return orgCommand("show NAME", "Print a mapping as JSON", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, at string, args []string) error {
		m, err := c.mapping(cmd.Context(), at, args[0])
		if err != nil {
			return err
		}
		return printJSON(cmd, m.Mapping)
	})
}

func printJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func mappingSaveCmd() *cobra.Command {
	return orgCommand("save NAME FILE", "Keep a mapping under a name, in place of the one that it has", cobra.ExactArgs(2), func(cmd *cobra.Command, c client, at string, args []string) error {
		b, err := readInput(args[1])
		if err != nil {
			return err
		}
		var all api.MappingsList
		if err := c.get(cmd.Context(), at+"/mappings", &all); err != nil {
			return err
		}
		version := uint64(0)
		for _, m := range all.Mappings {
			if m.Name == args[0] {
				version = m.Version
			}
		}
		var m intake.Saved
		if err := c.replace(cmd.Context(), at+"/mappings/"+url.PathEscape(args[0]), version, b, &m); err != nil {
			return err
		}
		cmd.Printf("The mapping “%s” is kept, at version %d.\n", m.Name, m.Version)
		if lacks := m.Mapping.Lacks(); len(lacks) > 0 {
			cmd.PrintErrf("No rule fills %s, which every listing has to have.\n", strings.Join(lacks, ", "))
		}
		return nil
	})
}

// readInput is a file, or standard input for "-". What is too long is refused by the node.
func readInput(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	}
	return os.ReadFile(path)
}

func mappingSuggestCmd() *cobra.Command {
	return orgCommand("suggest FILE", "Propose a mapping for a file, and print it as JSON; nothing is kept", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, at string, args []string) error {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		var v api.InspectionView
		if err := c.upload(cmd.Context(), at+"/mappings/inspect?"+url.Values{"filename": {filepath.Base(args[0])}}.Encode(), f, nil, &v); err != nil {
			return err
		}
		cmd.PrintErrf("%s: %s with %d columns\n", args[0], v.Format, len(v.Columns))
		if len(v.Lacks) > 0 {
			cmd.PrintErrf("No column was found for %s, which every listing has to have: add it.\n", strings.Join(v.Lacks, ", "))
		}
		if len(v.Unused) > 0 {
			cmd.PrintErrf("Columns that are not read: %s\n", printable(strings.Join(v.Unused, ", ")))
		}
		return printJSON(cmd, v.Mapping)
	})
}

func mappingDeleteCmd() *cobra.Command {
	return orgCommand("delete NAME", "Delete a mapping that no repository needs", cobra.ExactArgs(1), func(cmd *cobra.Command, c client, at string, args []string) error {
		m, err := c.mapping(cmd.Context(), at, args[0])
		if err != nil {
			return err
		}
		if err := c.send(cmd.Context(), http.MethodDelete, at+"/mappings/"+url.PathEscape(args[0]), m.Version, nil, nil); err != nil {
			return err
		}
		cmd.Printf("The mapping “%s” is deleted.\n", args[0])
		return nil
	})
}
