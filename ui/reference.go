package ui

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/ui/lang"
)

// The reference of the REST API, made from its description (OpenAPI 3.1) when the node starts: the page is large and never
// changes.

// openAPI is what the page reads of a description.
type openAPI struct {
	Info       struct{ Title, Description, Version string }
	Tags       []struct{ Name, Description string }
	Paths      map[string]map[string]openOperation
	Components struct {
		Schemas         map[string]*openSchema
		Responses       map[string]openResponse
		SecuritySchemes map[string]struct{ Description string }
	}
}

type openOperation struct {
	ID          string `json:"operationId"`
	Summary     string
	Description string
	Tags        []string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In, Description string
		Required              bool
		Schema                *openSchema
		Example               any
	}
	RequestBody *openResponse
	Responses   map[string]openResponse
}

// openResponse is an answer, or the body of a request.
type openResponse struct {
	Ref         string `json:"$ref"`
	Description string
	Required    bool
	Content     map[string]struct {
		Schema  *openSchema
		Example json.RawMessage
	}
}

type openSchema struct {
	Ref                  string `json:"$ref"`
	Type                 any    // a name, or a list with null
	Format, Description  string
	Pattern              string
	Enum                 []any
	Default              any
	Minimum, Maximum     *float64
	MinLength, MaxLength *int
	MaxItems             *int
	Items                *openSchema
	AllOf                []*openSchema
	Properties           map[string]*openSchema
	Required             []string
	AdditionalProperties json.RawMessage
}

// referencePage is the page; its main part is written once.
type referencePage struct {
	frame
	Main template.HTML
}

// reference is what the main part is made of.
type reference struct {
	Title, Version string
	Intro          []referenceWords
	Groups         []referenceGroup
	Problems       []referenceAnswer
	Types          []referenceType
}

type referenceWords struct{ Lead, Text string }

type referenceGroup struct {
	ID, Name, Says string
	Operations     []referenceOperation
}

type referenceOperation struct {
	ID, Method, Path, Summary, Says, Who string
	Parameters                           []referenceField
	Body                                 []referenceBody
	Fields                               []referenceField // of the body
	Answers                              []referenceAnswer
	Problems                             []string // by status, as all operations share them
	Curl                                 string
}

type referenceField struct {
	Name, In, Type, Link, Says string
	Required                   bool
}

type referenceBody struct{ Kind, Type, Link string }

type referenceAnswer struct {
	ID, Status, Says string // ID of those that others lead to
	Body             []referenceBody
}

type referenceType struct {
	Name, Says string
	Fields     []referenceField
}

// newReference reads a description and writes the page's main part.
func (s *site) newReference(description []byte) (template.HTML, error) {
	var doc openAPI
	if err := json.Unmarshal(description, &doc); err != nil {
		return "", fmt.Errorf("read description of the API: %w", err)
	}
	at := "https://hub.example.org"
	if s.cfg.House != nil && s.cfg.House.PublicURL() != "" {
		at = strings.TrimSuffix(s.cfg.House.PublicURL(), "/")
	}
	var b bytes.Buffer
	t, err := s.template("reference", lang.English)
	if err != nil {
		return "", err
	}
	if err := t.ExecuteTemplate(&b, "reference", doc.reference(at)); err != nil {
		return "", fmt.Errorf("write reference of the API: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // made by a template above
}

func (s *site) referencePage(r *http.Request) (view, error) {
	return view{"reference", referencePage{frame: s.frame(r, "developers", printer(r).T("nav.developers")), Main: s.reference}, http.StatusOK}, nil
}

func (d *openAPI) reference(at string) reference {
	ref := reference{Title: d.Info.Title, Version: d.Info.Version}
	for part := range strings.SplitSeq(d.Info.Description, "\n\n") {
		w := referenceWords{Text: part}
		if rest, found := strings.CutPrefix(part, "**"); found {
			w.Lead, w.Text, _ = strings.Cut(rest, "**")
		}
		ref.Intro = append(ref.Intro, w)
	}
	order := []string{"get", "post", "put", "patch", "delete"}
	for _, tag := range d.Tags {
		g := referenceGroup{ID: "tag-" + anchor(tag.Name), Name: tag.Name, Says: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			for _, method := range order {
				if op, ok := d.Paths[path][method]; ok && slices.Contains(op.Tags, tag.Name) {
					g.Operations = append(g.Operations, d.operation(at, strings.ToUpper(method), path, &op))
				}
			}
		}
		ref.Groups = append(ref.Groups, g)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		s := d.Components.Schemas[name]
		ref.Types = append(ref.Types, referenceType{Name: name, Says: s.Description, Fields: s.fields()})
	}
	statuses := map[string]string{}
	for _, methods := range d.Paths {
		for _, op := range methods {
			for status, r := range op.Responses {
				if name, found := strings.CutPrefix(r.Ref, responses); found {
					statuses[status] = name
				}
			}
		}
	}
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		r := d.Components.Responses[statuses[status]]
		ref.Problems = append(ref.Problems, referenceAnswer{ID: "status-" + status, Status: status, Says: r.Description, Body: r.bodies()})
	}
	return ref
}

func (d *openAPI) operation(at, method, path string, op *openOperation) referenceOperation {
	o := referenceOperation{ID: anchor(op.ID), Method: method, Path: path, Summary: op.Summary, Says: op.Description, Who: who(op.Security)}
	for _, p := range op.Parameters {
		f := referenceField{Name: p.Name, In: p.In, Required: p.Required, Says: p.Description}
		if p.Schema != nil {
			f.Type, f.Link = p.Schema.typed()
			f.Says = withBounds(f.Says, p.Schema.bounds())
		}
		o.Parameters = append(o.Parameters, f)
	}
	slices.SortStableFunc(o.Parameters, func(a, b referenceField) int {
		return cmp.Or(cmp.Compare(places(a.In), places(b.In)), cmp.Compare(weight(b.Required), weight(a.Required)))
	})
	if op.RequestBody != nil {
		o.Body = op.RequestBody.bodies()
		for _, kind := range slices.Sorted(maps.Keys(op.RequestBody.Content)) {
			if s := d.resolved(op.RequestBody.Content[kind].Schema); s != nil && len(o.Fields) == 0 {
				o.Fields = s.fields()
			}
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		r := op.Responses[status]
		if strings.HasPrefix(r.Ref, responses) {
			o.Problems = append(o.Problems, status)
			continue
		}
		o.Answers = append(o.Answers, referenceAnswer{Status: status, Says: r.Description, Body: r.bodies()})
	}
	o.Curl = curl(at, method, path, op)
	return o
}

func (d *openAPI) resolved(s *openSchema) *openSchema {
	if s == nil {
		return nil
	}
	if name, found := strings.CutPrefix(s.Ref, schemas); found {
		return d.Components.Schemas[name]
	}
	return s
}

func (r *openResponse) bodies() (all []referenceBody) {
	for _, kind := range slices.Sorted(maps.Keys(r.Content)) {
		b := referenceBody{Kind: kind}
		if s := r.Content[kind].Schema; s != nil {
			b.Type, b.Link = s.typed()
		}
		all = append(all, b)
	}
	return all
}

// who may use an operation, in words.
func who(security []map[string][]string) string {
	if len(security) == 0 {
		return "Everybody"
	}
	var ways []string
	everybody := false
	for _, way := range security {
		if len(way) == 0 {
			everybody = true
		}
		for _, name := range slices.Sorted(maps.Keys(way)) {
			switch name {
			case "operator":
				ways = append(ways, "the operator's token")
			case "token":
				ways = append(ways, "a person's token")
			case "session":
				ways = append(ways, "a session")
			default:
				ways = append(ways, name)
			}
		}
	}
	s := "Needs " + strings.Join(ways, " or ")
	if everybody {
		s = "Everybody; more is shown with " + strings.Join(ways, " or ")
	}
	return s
}

// curl is the operation as a command.
func curl(at, method, path string, op *openOperation) string {
	var query []string
	lines := []string{}
	for _, p := range op.Parameters {
		v := "{" + p.Name + "}"
		if p.Example != nil {
			v = exampleText(p.Example)
		}
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", v)
		case p.In == "query" && (p.Example != nil || p.Required):
			query = append(query, p.Name+"="+strings.ReplaceAll(v, " ", "+"))
		case p.In == "header" && (p.Example != nil || p.Name == "If-Match"):
			lines = append(lines, "-H "+quoted(p.Name+": "+v))
		}
	}
	for _, way := range op.Security {
		if _, operator := way["operator"]; operator || len(way["token"]) == 0 && way["token"] != nil {
			lines = append(lines, `-H "Authorization: Bearer $TMH_TOKEN"`)
			break
		}
	}
	if op.RequestBody != nil {
		kinds := slices.Sorted(maps.Keys(op.RequestBody.Content))
		if len(kinds) > 0 {
			kind := kinds[0]
			lines = append(lines, "-H "+quoted("Content-Type: "+kind))
			if e := op.RequestBody.Content[kind].Example; e != nil {
				var short bytes.Buffer
				if json.Compact(&short, e) != nil {
					short.Reset()
				}
				lines = append(lines, "-d "+quoted(short.String()))
			} else {
				lines = append(lines, "--data-binary @file")
			}
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	first := "curl "
	if method != http.MethodGet {
		first += "-X " + method + " "
	}
	return strings.Join(append([]string{first + quoted(at+path)}, lines...), " \\\n  ")
}
