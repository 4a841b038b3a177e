package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
)

//go:generate go test -run TestDescriptionIsCommitted -update .

var update = flag.Bool("update", false, "write docs/openapi.json")

const committed = "../../docs/openapi.json"

// TestDescriptionIsCommitted compares docs/openapi.json, of which clients are made, with what a node serves.
func TestDescriptionIsCommitted(t *testing.T) {
	h := newHub(t)
	var doc map[string]any
	if err := json.Unmarshal(h.api.Description(), &doc); err != nil {
		t.Fatal(err)
	}
	doc["info"].(map[string]any)["version"] = "0" // the software's own, which changes with every build
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(committed, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/openapi.json is not what a node serves: run “go generate ./node/api”, and read what changed")
	}
}

// TestOperationsAreDescribed asks of every operation what a reader and a generated client need.
func TestOperationsAreDescribed(t *testing.T) {
	type schema = map[string]any
	var doc struct {
		Tags  []struct{ Name, Description string }
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Summary     string
			Tags        []string
			Parameters  []struct{ Name, In, Description string }
			RequestBody *struct{ Content map[string]schema } `json:"requestBody"`
			Responses   map[string]struct {
				Ref         string `json:"$ref"`
				Description string
				Content     map[string]schema
			}
		}
		Components struct{ Responses map[string]schema }
	}
	if err := json.Unmarshal(newHub(t).api.Description(), &doc); err != nil {
		t.Fatal(err)
	}
	tags, used := map[string]bool{}, map[string]int{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = tag.Description != ""
	}
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			at := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 || !tags[op.Tags[0]] {
				t.Errorf("%s: id %q, summary %q, tags %q", at, op.OperationID, op.Summary, op.Tags)
			}
			ids[op.OperationID] = true
			used[op.Tags[0]]++
			for _, p := range op.Parameters {
				if p.In == "path" && p.Description == "" {
					t.Errorf("%s: nothing is said of {%s}", at, p.Name)
				}
			}
			ok := false
			for status, r := range op.Responses {
				ok = ok || strings.HasPrefix(status, "2") || status == "303"
				if r.Ref == "" && r.Description == "" {
					t.Errorf("%s: nothing is said of %s", at, status)
				}
				if name, found := strings.CutPrefix(r.Ref, "#/components/responses/"); r.Ref != "" && (!found || doc.Components.Responses[name] == nil) {
					t.Errorf("%s: %s leads to %q", at, status, r.Ref)
				}
			}
			if !ok || op.Responses["default"].Ref == "" || op.Responses["429"].Ref == "" {
				t.Errorf("%s: answers %v", at, op.Responses)
			}
			if op.RequestBody != nil && len(op.RequestBody.Content) == 0 {
				t.Errorf("%s: a body of no type", at)
			}
		}
	}
	for tag := range tags {
		if used[tag] == 0 {
			t.Errorf("nothing belongs to %s", tag)
		}
	}
}
