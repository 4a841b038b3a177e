package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/protocol"
)

// humaConfig leaves out what huma would add by itself: a documentation page that loads from a CDN, schema links in every
// answer, and an OpenAPI route that builds its answer without a lock.
func humaConfig(version string, explain huma.Transformer) huma.Config {
	if version == "" {
		version = "0"
	}
	c := huma.DefaultConfig("TMH node", version)
	c.Info.Description = introduction
	c.DocsPath, c.SchemasPath, c.OpenAPIPath = "", "", ""
	c.CreateHooks = nil
	c.Transformers = []huma.Transformer{explain}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"operator": {Type: "http", Scheme: "bearer", Description: "the operator token of this node's configuration"},
		"token":    {Type: "http", Scheme: "bearer", Description: "a person's token, within its scopes"},
		"session":  {Type: "apiKey", In: "cookie", Name: "__Host-tmh", Description: "the session of who signed in; tmh on a node without https"},
	}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	// Types that have a JSON form of their own.
	c.Components.Schemas.RegisterTypeAlias(typeOf[protocol.Instant](), typeOf[time.Time]())
	return c
}

// schemaName tells types of one name apart by their package, where that is one of the house.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if pkg := path.Base(t.PkgPath()); slices.Contains([]string{"access", "audit", "passkey", "oidc", "posting", "record", "document", "intake", "mapping"}, pkg) && t.Name() != "" {
		return strings.ToUpper(pkg[:1]) + pkg[1:] + strings.TrimPrefix(name, strings.ToUpper(pkg[:1])+pkg[1:])
	}
	return name
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// bodies describes what Payload reads. Given to huma before, it would read and judge the body itself, and stop at the
// first fault.
func bodies(doc *huma.OpenAPI) {
	body := func(t reflect.Type) *huma.RequestBody {
		schema := doc.Components.Schemas.Schema(t, true, "")
		return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	}
	doc.Paths[base+"/listings"].Post.RequestBody = body(typeOf[protocol.Listing]())
	doc.Paths[base+"/listings/{id}"].Put.RequestBody = body(typeOf[protocol.Listing]())
	doc.Paths[base+"/match"].Post.RequestBody = body(typeOf[MatchRequest]())
}

// describe adds the routes that huma does not serve and writes the description, once.
func describe(h huma.API) []byte {
	doc := h.OpenAPI()
	bodies(doc)
	text := func(contentType string) map[string]*huma.Response {
		return map[string]*huma.Response{
			"200": {Description: "OK", Content: map[string]*huma.MediaType{contentType: {Schema: &huma.Schema{Type: huma.TypeString}}}},
		}
	}
	operator := []map[string][]string{{"operator": {}}}
	doc.AddOperation(&huma.Operation{
		OperationID: "import", Method: http.MethodPost, Path: base + "/imports", Security: operator,
		Summary:     "Publish many listings; the answer streams one JSON line an event, the last says done or fault",
		Parameters:  []*huma.Param{{Name: "format", In: "query", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"jsonl", "csv"}}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}}, "text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}},
		Responses:   text("application/x-ndjson"),
	})
	doc.AddOperation(feedOperation(text("application/jsonl")))
	doc.AddOperation(&huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: base + "/metrics", Security: operator,
		Summary: "Metrics in Prometheus' text form", Responses: text("text/plain"),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "charter", Method: http.MethodGet, Path: "/.well-known/tmh/charter",
		Summary: "Charter chain and member cards, which authenticate themselves", Responses: text("application/octet-stream"),
	})
	page := text("text/html")
	page["200"].Content["text/plain"] = page["200"].Content["text/html"]
	doc.AddOperation(&huma.Operation{
		OperationID: "problems", Method: http.MethodGet, Path: problemsPath, Summary: "What the codes of problems mean, as a page", Responses: page,
	})
	one := text("text/html")
	one["200"].Content["text/plain"] = one["200"].Content["text/html"]
	doc.AddOperation(&huma.Operation{
		OperationID: "problem", Method: http.MethodGet, Path: problemsPath + "/{code}", Summary: "What a code means, and what to do, as a page", Responses: one,
		Parameters: []*huma.Param{{Name: "code", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}, Description: "such as value"}},
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "openapi", Method: http.MethodGet, Path: base + "/openapi.json", Summary: "This description", Responses: text("application/openapi+json"),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "adopt-papers", Method: http.MethodPost, Path: base + "/papers", Security: operator,
		Summary:     "Give the node charters and member cards, in their wire form",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}},
		Responses:   map[string]*huma.Response{"204": {Description: "No Content"}},
	})
	describeAll(doc)
	all := doc.Components.Schemas.Map()
	delete(all, "ErrorModel") // huma's: explain makes a Problem of it
	explainForms(all)
	for _, s := range all {
		notNull(s)
	}
	for op := range operations(doc) {
		for _, param := range op.Parameters {
			notNull(param.Schema)
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("api: the description has no JSON form: %v", err)) // a fault of the build: every test meets it
	}
	return b
}

// notNull says of lists that they are never null, which huma's own switch would say for all users of huma in this process.
func notNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	notNull(s.Items)
	for _, p := range s.Properties {
		notNull(p)
	}
}
