package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/asean-tmh/tmh/protocol"
)

// Pages that say what the code of a problem means, and what to do. A problem's type is the address of its page.

const problemsPath = "/problems"

// explained is a code in words.
type explained struct {
	Code          protocol.Code
	Status        int
	Title         string
	Meaning, Next string
}

// explanations of all codes, in the order of the codes. Codes of signed history are met by members' nodes rather than by people.
func explanations() (all []explained) {
	const (
		mend   = "Mend what errors names, and send the request again."
		member = "Nodes settle this among themselves. If it stays, tell the operator of this node."
		later  = "Try again later. Where the answer has Retry-After, wait that many seconds."
	)
	texts := map[protocol.Code][3]string{
		protocol.CodeTruncated:     {"Cut short", "What was sent ended before it was complete.", "Send it again as a whole."},
		protocol.CodeOrder:         {"Out of order", "Parts of what was sent stand in another order than they have to.", mend},
		protocol.CodeRepeated:      {"Said twice", "Something stands twice that may stand once, such as a parameter of the address.", "Say it once; separate several values by commas."},
		protocol.CodeVarint:        {"A malformed number", "A number in a signed message is not written in its only valid form.", member},
		protocol.CodeZero:          {"A needless default", "A signed message writes out a value that has to be left out.", member},
		protocol.CodeWireType:      {"Of the wrong type", "A value is of another type than it has to be, such as text where a number is wanted.", mend},
		protocol.CodeUnknown:       {"Not known here", "A member or parameter has a name that is not known at this address. It may be misspelt.", "Leave it out, or take the name that the API's description has."},
		protocol.CodeRequired:      {"Something is missing", "What the request cannot do without is absent or empty.", "Add what errors names, and send the request again."},
		protocol.CodeLength:        {"Of the wrong length", "A value of fixed length is longer or shorter than that.", mend},
		protocol.CodeTooLarge:      {"Too large", "A text, a list, a file or the whole request is over its limit, which the problem says.", "Send less at once."},
		protocol.CodeText:          {"No readable text", "What was sent is not UTF-8 text, has control characters, or is no JSON.", mend},
		protocol.CodeValue:         {"A value that cannot be taken", "A value is outside of what is allowed, such as a code that its list does not have.", mend},
		protocol.CodeFederation:    {"Of another federation", "What was sent belongs to another federation than this node.", "Ask a node of that federation."},
		protocol.CodeOrigin:        {"No such member", "The federation has no member of that name.", "Look at the list of members."},
		protocol.CodeCharter:       {"Another charter", "What was sent was signed under a charter that this node does not have.", member},
		protocol.CodeKey:           {"No valid key", "A signing key is not known, or not valid at this place in the history.", member},
		protocol.CodeSignature:     {"A wrong signature", "A signature does not fit what it stands under.", member},
		protocol.CodeBody:          {"Another content", "A signed header belongs to another content than came with it.", member},
		protocol.CodeThreshold:     {"Too few signatures", "Fewer members signed than have to.", "Collect more signatures."},
		protocol.CodeVersion:       {"Not the next version", "A document's version is not the one that follows.", "Read the newest, and begin there."},
		protocol.CodeReplayed:      {"Known already", "A signed change stands at a place that the node has already.", member},
		protocol.CodeGap:           {"Something lies between", "A signed change is not the one that follows what the node has.", member},
		protocol.CodeEpoch:         {"No such epoch", "A signed change names an epoch that was not opened.", member},
		protocol.CodeChain:         {"A broken chain", "A signed change follows another one than the node has.", member},
		protocol.CodePrevious:      {"Another predecessor", "A signed change replaces another record than the node has.", member},
		protocol.CodeFork:          {"Two histories", "A member signed two contradicting changes at one place. The node keeps both as evidence.", "Tell the operator of that member's node."},
		protocol.CodeCount:         {"Another count", "A signed count of records differs from the records.", member},
		protocol.CodeDigest:        {"Another digest", "A signed digest of records differs from the records.", member},
		protocol.CodeFloor:         {"Forgets too much", "A signed change forgets more withdrawals than it may.", member},
		protocol.CodeQuota:         {"Too much", "More was asked or sent than one visitor, organisation or member may in that time.", later},
		protocol.CodeNotFound:      {"Not found", "There is nothing at this address, or nothing that is for you.", "Check the address. A listing that was published a moment ago may take a second to arrive."},
		protocol.CodeUnavailable:   {"Not now", "The node cannot answer this at the moment: it is busy, starting, or cannot reach another one that has to be asked.", later},
		protocol.CodeReadOnly:      {"Reading only", "The node takes no changes now; searching and reading go on. Its operator is told why.", later},
		protocol.CodeConflict:      {"The state does not allow it", "What is asked does not fit how things stand, or something changed since you read it.", "Read it again. Where the address gives an ETag, send the newest one as If-Match."},
		protocol.CodeWithdrawn:     {"Withdrawn", "The listing was withdrawn by its origin. Its id never returns.", "Look at the tombstone: it says why, and which listing took its place, if one did."},
		protocol.CodeNotPermitted:  {"Not permitted", "Who asks may not do this, or did not say who it is.", "Sign in or send a token; a token does only what its scopes and its owner's roles allow."},
		protocol.CodeInternal:      {"A fault of this node", "Something went wrong that is not your doing. The cause stands in the node's log.", "Try again. If it stays, tell the operator of the node the problem's instance."},
		protocol.CodeHolder:        {"Another node answered wrongly", "A node that was asked for its copy answered against the rules.", later},
		protocol.CodeUnprovenFinal: {"Not proven", "What other nodes gave could not be proven to be what its origin signed.", later},
		protocol.CodeRestart:       {"From the beginning", "What is asked for can only be had from its beginning.", member},
	}
	for code, status := range statuses() {
		t := texts[code]
		all = append(all, explained{code, status, t[0], t[1], t[2]})
	}
	slices.SortFunc(all, func(a, b explained) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
}

const problemStyle = `:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1.5rem 1rem}` +
	`h1{font-size:1.5rem;line-height:1.3}code{font-family:ui-monospace,monospace}li{margin-bottom:.4rem}`

func problemTemplate() *template.Template {
	return template.Must(template.New("problems").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{if .One}}{{.One.Title}} ({{.One.Code}}){{else}}Problems{{end}} · TMH</title>
<style>` + problemStyle + `</style>
</head>
<body>
<main>
{{with .One}}<h1>{{.Title}} <code>{{.Code}}</code></h1>
<p>{{.Meaning}}</p>
<p><b>What to do:</b> {{.Next}}</p>
<p>Mostly answered with status {{.Status}}.</p>
<p><a href="/problems">All codes</a> · <a href="/developers">Reference of the API</a></p>
{{else}}<h1>Problems</h1>
<p>What this node cannot do it answers as application/problem+json (RFC 9457). The member code never changes its meaning; errors names every fault of the request by field.</p>
<ul>{{range .All}}
<li><a href="/problems/{{.Code}}"><code>{{.Code}}</code></a> {{.Title}}</li>{{end}}
</ul>
{{end}}</main>
</body>
</html>
`))
}

type problemsPage struct {
	One *explained
	All []explained
}

func (a *API) problemPages(w http.ResponseWriter, r *http.Request) {
	a.explainPage(w, r, problemsPage{All: explanations()})
}

func (a *API) problemPage(w http.ResponseWriter, r *http.Request) {
	for _, e := range explanations() {
		if string(e.Code) == chi.URLParam(r, "code") {
			a.explainPage(w, r, problemsPage{One: &e})
			return
		}
	}
	a.write(w, newProblem(http.StatusNotFound, protocol.Errors{protocol.Errorf(protocol.CodeNotFound, "code", "there is no such code; %s lists all of them", problemsPath)}))
}

// explainPage writes a page as HTML, or as text to who asks for that.
func (a *API) explainPage(w http.ResponseWriter, r *http.Request, p problemsPage) {
	var b bytes.Buffer
	h := w.Header()
	h.Set("Vary", "Accept")
	h.Set("Cache-Control", "public, max-age=3600")
	if accept := r.Header.Get("Accept"); accept != "" && !takes(accept, "text/html") && takes(accept, "text/plain") {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		if p.One != nil {
			p.All = []explained{*p.One}
		}
		for _, e := range p.All {
			b.WriteString(string(e.Code) + " (" + strconv.Itoa(e.Status) + "): " + e.Title + "\n  " + e.Meaning + "\n  " + e.Next + "\n")
		}
	} else {
		sum := sha256.Sum256([]byte(problemStyle))
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		if err := problemTemplate().Execute(&b, p); err != nil {
			a.fail(w, err)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes())
}
