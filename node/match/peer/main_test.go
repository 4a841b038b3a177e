package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFeed(t *testing.T) {
	lines := `{"id":"a","title":"pump","text":"a pump for water"}
{"id":"b","title":"valve","text":"a valve for steam"}
{"query":"water pumps","row":"short"}
`
	var out bytes.Buffer
	dir := filepath.Join(t.TempDir(), "x")
	if err := run(context.Background(), []string{"feed", "-dir", dir}, strings.NewReader(lines), &out); err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.P50["short"] <= 0 || r.P99["short"] < r.P50["short"] || r.Disk == 0 || r.Build <= 0 {
		t.Errorf("measured nothing: %+v", r)
	}
	if err := run(context.Background(), []string{"feed", "-dir", dir + "2"}, strings.NewReader("{\"id\":\"a\"}\n{"), &out); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a broken line is answered with %v", err)
	}
}

func TestFindsAndRanks(t *testing.T) {
	for _, l := range []layout{oneField, twoFields} {
		e, err := open(filepath.Join(t.TempDir(), "x"), l)
		if err != nil {
			t.Fatal(err)
		}
		defer e.index.Close()
		for id, text := range map[string]string{"a": "a pump for hot water", "b": "a valve for water", "c": "steam"} {
			if err := e.add(id, "", text); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.flush(); err != nil {
			t.Fatal(err)
		}
		ids, err := e.find(context.Background(), "water pumps", 10)
		if err != nil || strings.Join(ids, " ") != "a b" {
			t.Errorf("%v: found %v, %v; want a b", l, ids, err)
		}
	}
}

// TestQuality on documents written here: with few words there is one right order.
func TestQuality(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"docs.jsonl":    `{"id":"a","title":"pump","text":"pumps for water"}` + "\n" + `{"id":"b","title":"","text":"valves"}` + "\n",
		"queries.jsonl": `{"id":"q","text":"water pump"}` + "\n",
		"qrels.tsv":     "q\ta\t1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := run(context.Background(), []string{"quality", dir}, nil, &out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "nDCG@10 1.0000 MAP 1.0000 R@100 1.0000"); n != 4 {
		t.Errorf("want four perfect rows, got\n%s", out.String())
	}
	if err := run(context.Background(), []string{"nonsense"}, nil, &out); err == nil {
		t.Error("an unknown command is obeyed")
	}
}
