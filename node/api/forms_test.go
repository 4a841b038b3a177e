package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestFormsAreExplained: whoever has the description alone can write a draft: codes and limits stand in it, and nothing is said
// to be required that a draft may leave out.
func TestFormsAreExplained(t *testing.T) {
	type schema struct {
		Ref         string `json:"$ref"`
		Description string
		Required    []string
		Properties  map[string]schema
	}
	var doc struct {
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(newHub(t).visitor().ask("GET", "/openapi.json", nil).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	all := doc.Components.Schemas
	for name, member := range map[string]string{
		"Listing": "kind", "Text": "abstract", "Record": "sections", "RecordText": "problem", "Right": "type", "Terms": "models",
		"Audience": "types", "Document": "preview", "PostingScores": "clarity", "ListingDraft": "country", "Owner": "turnover",
	} {
		if all[name].Properties[member].Description == "" {
			t.Errorf("%s.%s is not explained", name, member)
		}
	}
	if s := all["Listing"].Properties["ipr"].Description; !strings.Contains(s, "patent-granted") {
		t.Errorf("the codes of ipr are not named: %s", s)
	}
	draft := all["ListingDraft"]
	if len(draft.Required) > 0 || draft.Properties["id"].Description != "" || !slices.Contains(all["Listing"].Required, "id") {
		t.Errorf("a draft requires %v, a listing %v", draft.Required, all["Listing"].Required)
	}
	if s := all["DraftRequest"].Properties["listing"].Ref; s != "#/components/schemas/ListingDraft" {
		t.Errorf("a draft holds a %s", s)
	}
}

// TestRequestFaultsSayWhatToDo: what the framework finds is said by member and with the next step, as all else is.
func TestRequestFaultsSayWhatToDo(t *testing.T) {
	v := newHub(t).visitor()
	w := v.ask("POST", "/session", map[string]any{"e-mail": "dara@example.org"})
	for _, want := range []string{
		`{"code":"required","field":"email","message":"is absent: give it"}`, `{"code":"unknown","field":"e-mail","message":"is not known here: leave it out"}`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
}
