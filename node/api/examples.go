package api

import (
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// Examples of the operations that programs use first. All that they name is invented.

// example of an operation: its parameters, what is sent, what is answered.
type example struct {
	parameters map[string]any
	sent       any
	answered   any
}

func (e example) into(op *huma.Operation) {
	for _, p := range op.Parameters {
		if v, ok := e.parameters[p.Name]; ok {
			p.Example = v
		}
	}
	if e.sent != nil && op.RequestBody != nil {
		if m := op.RequestBody.Content["application/json"]; m != nil {
			op.RequestBody.Content["application/json"] = &huma.MediaType{Schema: m.Schema, Example: e.sent}
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if m := op.Responses[status].Content["application/json"]; m != nil && status[0] == '2' && e.answered != nil {
			m.Example = e.answered
			return
		}
	}
}

func examples() map[string]example {
	type m = map[string]any
	dryer := m{
		"kind": "TO", "country": "TH", "trl": 6, "ford": []string{"2.11"},
		"texts": m{
			"en": m{"title": "Solar dryer for fish", "abstract": "Dries a batch of fish in six hours with the heat of the sun."},
			"th": m{"title": "เครื่องอบแห้งปลาพลังงานแสงอาทิตย์"},
		},
	}
	published := maps.Clone(dryer)
	published["id"] = "TO-TH-1"
	hash := "5f2b7c0e9d1a4c3f8e6b2a7d90c4f1e35f2b7c0e9d1a4c3f8e6b2a7d90c4f1e3"
	return map[string]example{
		"list":             {parameters: m{"kind": []string{"TO"}, "country": []string{"TH", "VN"}, "limit": 20}},
		"get":              {parameters: m{"origin": "TH", "id": "TO-TH-1"}},
		"get-own":          {parameters: m{"id": "TO-TH-1"}},
		"publish":          {sent: published},
		"put":              {parameters: m{"id": "TO-TH-1"}, sent: published},
		"withdraw":         {parameters: m{"id": "TO-TH-1", "reason": "agreement"}},
		"search":           {parameters: m{"q": "dry fish with the sun", "kind": []string{"TO"}, "limit": 10}},
		"match":            {sent: m{"text": "dry fish with the sun", "filter": m{"kinds": []string{"TO"}}, "limit": 10}},
		"suggest":          {parameters: m{"q": "solar dr"}, answered: m{"suggestions": []m{{"text": "solar dryer", "phrase": "solar dryer", "count": 3}}}},
		"member":           {parameters: m{"id": "TH"}},
		"feed":             {parameters: m{"id": "TH"}},
		"full-record":      {parameters: m{"origin": "TH", "id": "TO-TH-1"}},
		"document":         {parameters: m{"origin": "TH", "id": "TO-TH-1", "hash": hash}},
		"draft":            {parameters: m{replayKeyHeader: "8e03978e-40d5-43dd-bc93-6894a57f9324"}, sent: m{"listing": dryer, "source_id": "repository/4711"}},
		"edit-draft":       {parameters: m{"id": "TO-TH-1", "If-Match": `"1"`}, sent: m{"listing": dryer}},
		"submit":           {parameters: m{"id": "TO-TH-1", "If-Match": `"1"`}},
		"withdraw-posting": {parameters: m{"id": "TO-TH-1", "If-Match": `"2"`}, sent: m{"reason": "agreement"}},
		"posting":          {parameters: m{"id": "TO-TH-1"}},
		"by-reference":     {parameters: m{"reference": "TO-TH-20260921-001"}},
		"review":           {parameters: m{"id": "TO-TH-1", "If-Match": `"3"`}, sent: m{"scores": m{"advantages": 4, "clarity": 3, "cooperation": 4, "guidelines": 3}}},
		"hold":             {parameters: m{"id": "TO-TH-1", "If-Match": `"2"`}, sent: m{"note": "figures are checked"}},
		"token-create":     {parameters: m{replayKeyHeader: "8e03978e-40d5-43dd-bc93-6894a57f9324"}, sent: m{"name": "repository", "scopes": []string{"read", "write"}, "days": 90}},
		"invite":           {parameters: m{replayKeyHeader: "8e03978e-40d5-43dd-bc93-6894a57f9324"}, sent: m{"email": "editor@institute.example", "organisation": "o123", "roles": []string{"editor"}}},
		"sign-in":          {sent: m{"email": "editor@institute.example", "password": "seven dry mangoes"}},
		"import":           {parameters: m{"format": "jsonl"}},
	}
}
