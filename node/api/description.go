package api

import (
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/asean-tmh/tmh/node/replay"
)

// What the description says of operations beside what huma reads off the Go types: where they belong, what goes wrong, examples.

const introduction = `Matching of technology over the catalogue of a whole federation. Everybody may read summaries; for all else one signs in, or sends a token.

**Tokens.** Send a token as Authorization: Bearer. It does what its scopes and its owner's roles allow. A page of another site cannot use a session: what changes something is refused then.

**Problems.** What cannot be done is answered as application/problem+json (RFC 9457). code never changes its meaning, errors names every fault by field, type is the address of a page that explains it, and instance is the answer's X-Request-Id, by which the operator finds it in the log.

**Pages of lists.** next, and the Link header, lead to the page that follows. Cursors are opaque, and are taken only where they were given: by the same list, with the same filters.

**Versions.** What is edited has an ETag. An edit sends the one that it saw as If-Match: 428 without it, 412 when something changed since.

**Sending again.** Where Idempotency-Key is listed, a request with one is carried out once within 24 hours; sent again, it gets the first answer, with Idempotency-Replayed: true. 409 where it is still being worked on, or where nobody knows whether it was carried out; 422 where the key came with another request.

**Limits.** RateLimit-Policy and RateLimit have the form of draft-ietf-httpapi-ratelimit-headers: q requests in w seconds, r of them left for the next t seconds. 429 above that, and 503 while the node has more to do than it can answer in time, both with Retry-After in seconds.`

// operations of a description.
func operations(doc *huma.OpenAPI) iter.Seq[*huma.Operation] {
	return func(yield func(*huma.Operation) bool) {
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			p := doc.Paths[path]
			for _, op := range []*huma.Operation{p.Get, p.Post, p.Put, p.Patch, p.Delete} {
				if op != nil && !yield(op) {
					return
				}
			}
		}
	}
}

// tags in the order of the reference, each with the first segments of its addresses.
func tags() []struct{ name, says, at string } {
	return []struct{ name, says, at string }{
		{"Catalogue", "Listings of the whole federation, as every node holds them.", "listings"},
		{"Matching", "What fits a text, a listing or a draft.", "match suggest"},
		{"Federation", "Members, how far this node may vouch for its copies, figures, and what other nodes ask for.", "members statistics .well-known"},
		{"Exports", "The catalogue in the forms of spreadsheets, feed readers, catalogues of data and search engines.", "listings.csv listings.xlsx listings.jsonl match.atom catalogue.jsonld schema.jsonld sitemap.xml sitemap-listings.xml robots.txt schemas"},
		{"Full records", "What stands behind a summary, as far as one may see it.", "full documents"},
		{"Postings", "Listings at their origin, from the draft to the end.", "postings checklist suspects"},
		{"Reviews", "What is judged before and after it is published.", "reviews take release hand-over review"},
		{"Import", "Many listings at once, from a file or a repository.", "imports mapping-targets"},
		{"Tokens", "By which programs act for people.", "tokens"},
		{"Account", "One's own.", "account"},
		{"Signing in", "Ways in, and links that work once.", "session setup invitations/open invitations/accept verification password-reset oidc"},
		{"People", "Accounts and invitations, for administrators.", "people invitations"},
		{"Organisations", "Whose people use this node.", "organisations"},
		{"Audit", "What was done, and by whom.", "audit"},
		{"Node", "For monitors, operators and programs.", "health metrics papers openapi.json problems"},
	}
}

// tagOf an address. The last word decides before the first does.
func tagOf(path string) string {
	short := strings.TrimPrefix(strings.TrimPrefix(path, base), "/")
	parts := strings.Split(short, "/")
	last := parts[len(parts)-1]
	if len(parts) > 2 && slices.Contains([]string{"imports", "mappings", "sources"}, parts[2]) {
		return "Import"
	}
	if len(parts) > 2 && strings.HasPrefix(parts[len(parts)-2], "documents") {
		last = "documents"
	}
	first := parts[0]
	for _, want := range []string{strings.Join(parts[:min(2, len(parts))], "/"), last, first} {
		if want == last && len(parts) == 1 {
			want = first
		}
		for _, t := range tags() {
			if slices.Contains(strings.Fields(t.at), want) {
				if t.name == "Full records" && first == "postings" {
					return "Postings"
				}
				return t.name
			}
		}
	}
	return "Node"
}

// failures are the answers that operations share, by status.
func failures() map[string]string {
	return map[string]string{
		"401": "Who asks did not say who it is, or with a token that proves nothing", "403": "Not permitted to who asks", "404": "There is nothing, or nothing for who asks",
		"409": "The state does not allow it", "410": "Withdrawn by its origin, with the tombstone", "412": "Something changed since the version that If-Match names",
		"422": "Something in the request cannot be taken; errors names all of it",
		"428": "If-Match is missing", "429": "More than one visitor may ask; Retry-After says when to go on", "503": "Not now; Retry-After says when to ask again", "default": "Any other problem, such as 400, 406, 413, 415 and 500",
	}
}

func failureName(status string) string {
	if status == "default" {
		return "Failure"
	}
	return "Failure" + status
}

// succeeds are the statuses of answers to operations that do what they are asked with another one than huma takes for granted, or
// with one of two.
func succeeds() map[string][]string {
	return map[string][]string{
		"account-email": {"202"}, "account-passkey-finish": {"201"}, "discard-draft": {"200", "204"}, "invite": {"201"}, "organisation-create": {"201"},
		"password-reset": {"202"}, "person-reset-link": {"201"}, "publish": {"200", "201"}, "put": {"200", "201"}, "setup-link": {"201"}, "token-create": {"201"},
	}
}

// succeed says with which of them an operation answers.
func succeed(op *huma.Operation, statuses []string) {
	if len(statuses) == 0 {
		return
	}
	said := op.Responses["200"]
	if said == nil {
		said = op.Responses["201"]
	}
	delete(op.Responses, "200")
	delete(op.Responses, "201")
	for _, status := range statuses {
		answer := &huma.Response{Headers: said.Headers, Content: said.Content}
		if status == "204" {
			answer.Content = nil
		}
		op.Responses[status] = answer
	}
}

func describeAll(doc *huma.OpenAPI) {
	for _, t := range tags() {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: t.name, Description: t.says})
	}
	problem := doc.Components.Schemas.Schema(typeOf[Problem](), true, "")
	doc.Components.Responses = map[string]*huma.Response{}
	for status, words := range failures() {
		r := &huma.Response{Description: words, Content: map[string]*huma.MediaType{problemType: {Schema: problem}}}
		if status == "429" || status == "503" {
			r.Headers = map[string]*huma.Param{"Retry-After": {Description: "seconds", Schema: &huma.Schema{Type: huma.TypeInteger}}}
		}
		doc.Components.Responses[failureName(status)] = r
	}
	known, words, successes := replayable(), examples(), succeeds()
	for op := range operations(doc) {
		op.Tags = []string{tagOf(op.Path)}
		if _, ok := replayableBody(known, op.Path); ok && op.Method == http.MethodPost {
			least, most := replay.MinKey, replay.MaxKey
			op.Parameters = append(op.Parameters, &huma.Param{
				Name: replayKeyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most},
				Description: "a new random UUID for every request: sent again within 24 hours, the request gets its first answer and makes nothing twice",
			})
		}
		for _, p := range op.Parameters {
			if p.In == "path" && p.Description == "" {
				p.Description = "of the " + strings.TrimSuffix(p.Name, "_id")
			}
		}
		succeed(op, successes[op.OperationID])
		fail(op)
		if e, ok := words[op.OperationID]; ok {
			e.into(op)
		}
		for status, r := range op.Responses {
			if r.Ref == "" && r.Description == "" {
				n, _ := strconv.Atoi(status)
				r.Description = http.StatusText(n)
			}
		}
	}
}

// fail says which problems an operation answers with.
func fail(op *huma.Operation) {
	with := map[string]bool{"429": true, "503": true, "default": true}
	if len(op.Security) > 0 {
		with["401"], with["403"] = true, true
	}
	for _, p := range op.Parameters {
		switch {
		case p.In == "path":
			with["404"] = true
		case p.In == "query":
			with["422"] = true
		case p.Name == "If-Match":
			with["409"], with["412"], with["428"] = true, true, true
		case p.Name == replayKeyHeader:
			with["409"] = true
		}
	}
	if op.RequestBody != nil {
		with["422"] = true
	}
	if op.Method == http.MethodGet && strings.HasPrefix(op.Path, base+"/listings/") && !strings.Contains(op.Path, "documents") {
		with["410"] = true
	}
	for status, r := range op.Responses {
		if _, shared := failures()[status]; shared && r.Ref == "" {
			delete(op.Responses, status) // huma's words
		}
	}
	if op.OperationID == "health" {
		op.Responses["503"] = &huma.Response{Description: "The node is not ready: faults say why", Content: op.Responses["200"].Content}
	}
	for status := range with {
		if op.Responses[status] == nil {
			op.Responses[status] = &huma.Response{Ref: "#/components/responses/" + failureName(status)}
		}
	}
}
