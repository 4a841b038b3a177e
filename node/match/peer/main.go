// Command peer measures bleve, the search library that the match engine is compared with, on the same documents and questions.
// It is a module of its own, so that the node neither holds bleve nor depends on it.
//
//	peer feed -dir DIR     index the documents on standard input, put the queries, print what it took (see tmh bench match)
//	peer quality DIR…      nDCG@10, MAP and R@100 on test collections (see tmh eval)
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 3 && args[0] == "feed" && args[1] == "-dir":
		r, err := feed(ctx, args[2], in)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(r)
	case len(args) > 1 && args[0] == "quality":
		tmp, err := os.MkdirTemp("", "tmh-peer-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		for i, dir := range args[1:] {
			if err := quality(ctx, dir, filepath.Join(tmp, fmt.Sprint(i)), out); err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
		}
		return nil
	}
	return errors.New("want feed -dir DIR, or quality DIR…")
}
