package oai

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/asean-tmh/tmh/configs/codes"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// A writer writes a response. Everything between tags is escaped by it, but for what a Format wrote.
type writer struct{ bytes.Buffer }

func (w *writer) text(s string) { _ = xml.EscapeText(&w.Buffer, []byte(s)) } // a buffer takes everything

func (w *writer) element(name, content string) {
	w.WriteString("<" + name + ">")
	w.text(content)
	w.WriteString("</" + name + ">\n")
}

func stampOf(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05Z") }

// ServeHTTP answers one request, by GET or POST.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "OAI-PMH is asked by GET or POST.", http.StatusMethodNotAllowed)
		return
	}
	query, why := queryOf(w, r)
	q := parse(query)
	if why != "" {
		q = &request{}
		q.fail("badArgument", "%s", why)
	}
	var body writer
	over, now := p.horizon()
	if len(q.faults) == 0 {
		if err := p.answer(&body, r, q, over, now); err != nil {
			p.cfg.Log.Error("a harvester is not answered", "verb", q.verb, "error", err)
			w.Header().Set("Retry-After", "60")
			http.Error(w, "The catalogue cannot be read now. Ask again in a minute.", http.StatusServiceUnavailable)
			return
		}
	}
	var out writer
	out.WriteString(xml.Header + `<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">` + "\n")
	out.element("responseDate", stampOf(now))
	out.WriteString("<request")
	if !q.unnamed {
		for _, name := range []string{"verb", "identifier", "metadataPrefix", "from", "until", "set", "resumptionToken"} {
			value, ok := q.args[name]
			if name == "verb" {
				value, ok = q.verb, true
			}
			if ok && (name != "identifier" || isAddress(value)) {
				out.WriteString(" " + name + `="`)
				out.text(value)
				out.WriteString(`"`)
			}
		}
	}
	out.WriteString(">")
	out.text(p.cfg.BaseURL(r))
	out.WriteString("</request>\n")
	if len(q.faults) == 0 {
		out.WriteString("<" + q.verb + ">\n")
		_, _ = body.WriteTo(&out)
		out.WriteString("</" + q.verb + ">\n")
	}
	for _, f := range q.faults {
		out.WriteString(`<error code="` + f.code + `">`)
		out.text(f.text)
		out.WriteString("</error>\n")
	}
	out.WriteString("</OAI-PMH>\n")
	w.Header().Set("Content-Type", "text/xml; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	_, _ = out.WriteTo(w) // a harvester that went away asks again
}

// answer writes what is inside the verb's element, or names a fault.
func (p *Provider) answer(w *writer, r *http.Request, q *request, over, now int64) error {
	switch q.verb {
	case "Identify":
		p.identify(w, r, now)
	case "ListMetadataFormats":
		return p.formats(w, q)
	case "ListSets":
		p.sets(w, q)
	case "GetRecord":
		return p.record(w, q, now)
	default:
		return p.list(w, q, over)
	}
	return nil
}

func (p *Provider) identify(w *writer, r *http.Request, now int64) {
	p.mu.Lock()
	first := p.first
	p.mu.Unlock()
	if first == 0 {
		first = now
	}
	w.element("repositoryName", p.cfg.Name)
	w.element("baseURL", p.cfg.BaseURL(r))
	w.element("protocolVersion", "2.0")
	w.element("adminEmail", p.cfg.AdminEmail)
	w.element("earliestDatestamp", stampOf(first))
	w.element("deletedRecord", "persistent")
	w.element("granularity", "YYYY-MM-DDThh:mm:ssZ")
	w.WriteString(`<description><oai-identifier xmlns="http://www.openarchives.org/OAI/2.0/oai-identifier" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai-identifier http://www.openarchives.org/OAI/2.0/oai-identifier.xsd">` + "\n")
	w.element("scheme", "oai")
	w.element("repositoryIdentifier", p.cfg.Namespace)
	w.element("delimiter", ":")
	origin := protocol.MemberID("TH")
	if all := p.origins(); len(all) > 0 {
		origin = all[0]
	}
	w.element("sampleIdentifier", p.identifier(match.Ref{Origin: origin, ID: "2026-001"}))
	w.WriteString("</oai-identifier></description>\n")
}

func (p *Provider) format(prefix string) (Format, bool) {
	i := slices.IndexFunc(p.cfg.Formats, func(f Format) bool { return f.Prefix == prefix })
	if i < 0 {
		return Format{}, false
	}
	return p.cfg.Formats[i], true
}

const noSuchRecord = "There is no such record here. Identifiers are as ListIdentifiers gives them."

func (p *Provider) formats(w *writer, q *request) error {
	if q.has("identifier") {
		if _, _, ok, err := p.find(q.args["identifier"]); err != nil || !ok {
			q.fail("idDoesNotExist", noSuchRecord)
			return err
		}
	}
	for _, f := range p.cfg.Formats {
		w.WriteString("<metadataFormat>\n")
		w.element("metadataPrefix", f.Prefix)
		w.element("schema", f.Schema)
		w.element("metadataNamespace", f.Namespace)
		w.WriteString("</metadataFormat>\n")
	}
	return nil
}

func (p *Provider) sets(w *writer, q *request) {
	if q.has("resumptionToken") {
		q.fail("badResumptionToken", "The sets are given as a whole, without a token.")
		return
	}
	set := func(spec, name string) {
		w.WriteString("<set>\n")
		w.element("setSpec", spec)
		w.element("setName", name)
		w.WriteString("</set>\n")
	}
	set("origin", "All listings, by the member that published them")
	for _, o := range p.origins() {
		name := "Published by " + string(o)
		if label := codes.Country().Label(string(o)); label != "" {
			name += ", " + label
		}
		set("origin:"+string(o), name)
	}
	set("kind", "All listings, by kind")
	for _, k := range protocol.Kinds() {
		set("kind:"+string(k), codes.Kind().Label(string(k)))
	}
}

// found is one record as it is to be shown.
type found struct {
	entry
	listing *protocol.Listing // nil: deleted
}

// find a record by its identifier, as it is held at this moment. fresh: it is newer than the chronicle says.
func (p *Provider) find(identifier string) (f found, fresh, ok bool, err error) {
	ref, legal := p.parseIdentifier(identifier)
	if !legal {
		return f, false, false, nil
	}
	f = found{entry: entry{Ref: ref, kind: unknownKind, deleted: true}}
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		n, err := loadNote(tx, ref)
		if err != nil {
			return err
		}
		l, c, err := p.current(tx, ref)
		if err != nil {
			return err
		}
		if n != nil {
			ok, f.at, f.kind, f.deleted = true, n.at, n.kind, n.deleted
		}
		if c == nil {
			return nil
		}
		if o, changes := judge(ref, n, c); changes {
			ok, fresh, f.kind, f.deleted = true, true, o.now.kind, o.now.deleted
		}
		if !f.deleted {
			f.listing = l
		}
		return nil
	})
	return f, fresh, ok, err
}

func (p *Provider) record(w *writer, q *request, now int64) error {
	f, known := p.format(q.args["metadataPrefix"])
	if !known {
		q.fail("cannotDisseminateFormat", "There is no such format here. ListMetadataFormats says which there are.")
	}
	r, fresh, ok, err := p.find(q.args["identifier"])
	if err != nil {
		return err
	}
	if !ok {
		q.fail("idDoesNotExist", noSuchRecord)
	}
	if len(q.faults) > 0 {
		return nil
	}
	if fresh {
		r.at = now
	}
	p.writeRecord(w, r, f)
	return nil
}

func (p *Provider) writeHeader(w *writer, e entry) {
	if e.deleted {
		w.WriteString(`<header status="deleted">` + "\n")
	} else {
		w.WriteString("<header>\n")
	}
	w.element("identifier", p.identifier(e.Ref))
	w.element("datestamp", stampOf(e.at))
	if e.kind != unknownKind {
		w.element("setSpec", "kind:"+string(e.kind))
	}
	w.element("setSpec", "origin:"+string(e.Origin))
	w.WriteString("</header>\n")
}

func (p *Provider) writeRecord(w *writer, r found, f Format) {
	r.deleted = r.listing == nil
	w.WriteString("<record>\n")
	p.writeHeader(w, r.entry)
	if r.listing != nil {
		b, err := f.Encode(r.Origin, r.listing)
		if err != nil { // one record without its metadata must not hold up all the others
			p.cfg.Log.Error("a listing is given to harvesters without metadata", "origin", r.Origin, "id", r.ID, "format", f.Prefix, "error", err)
		} else {
			b = bytes.TrimSpace(b)
			if bytes.HasPrefix(b, []byte("<?xml")) {
				_, b, _ = bytes.Cut(b, []byte("?>"))
			}
			w.WriteString("<metadata>\n")
			w.Write(b)
			w.WriteString("\n</metadata>\n")
		}
	}
	w.WriteString("</record>\n")
}

// maxBody is how long a page may grow before it ends early.
const maxBody = 1 << 20

func (p *Provider) list(w *writer, q *request, over int64) error {
	l := list{verb: q.verb, prefix: q.args["metadataPrefix"], set: q.args["set"], from: q.from, until: over}
	if q.until >= 0 {
		l.until = min(q.until, over)
	}
	if q.has("resumptionToken") {
		var ok bool
		if l, ok = p.parseToken(q.args["resumptionToken"]); !ok || l.verb != q.verb {
			q.fail("badResumptionToken", "The token is not of this repository and verb. Begin the list again.")
			return nil
		}
	}
	f, known := p.format(l.prefix)
	if !known {
		q.fail("cannotDisseminateFormat", "There is no such format here. ListMetadataFormats says which there are.")
		return nil
	}
	rows, more, err := p.page(l)
	if err != nil {
		return err
	}
	if len(rows) == 0 && l.last == "" {
		q.fail("noRecordsMatch", "Nothing of that set changed in that time. If there is no such set, ListSets says which there are.")
		return nil
	}
	first := l.given
	for i, r := range rows {
		if l.verb == "ListIdentifiers" {
			p.writeHeader(w, r.entry)
		} else {
			p.writeRecord(w, r, f)
		}
		l.given, l.last = l.given+1, r.key()
		if w.Len() > maxBody && i < len(rows)-1 {
			more = true
			break
		}
	}
	switch {
	case more:
		fmt.Fprintf(w, `<resumptionToken cursor="%d">`, first)
		w.text(p.token(l))
		w.WriteString("</resumptionToken>\n")
	case first > 0:
		fmt.Fprintf(w, `<resumptionToken cursor="%d"/>`+"\n", first)
	}
	return nil
}

// page reads the next rows of a list, and says whether there are more.
func (p *Provider) page(l list) (rows []found, more bool, err error) {
	err = p.cfg.Store.View(func(tx *store.Tx) error {
		for _, s := range p.streams(l.set) {
			after := s.after(l.from)
			if l.last != "" && s.prefix() <= l.last {
				if e, err := decodeEntry(l.last, []byte{0}); err != nil || (s != stream{e.Origin, e.kind}) {
					continue
				}
				after = max(after, l.last)
			}
			if err := tx.Rows(store.TableChronicle, s.prefix(), after, func(key string, value []byte) (bool, error) {
				e, err := decodeEntry(key, value)
				if err != nil || e.at > l.until {
					return false, err
				}
				if len(rows) == p.cfg.PageSize {
					more = true
					return false, nil
				}
				rows = append(rows, found{entry: e})
				return true, nil
			}); err != nil {
				return err
			}
			if more {
				break
			}
		}
		if len(rows) == 0 && l.last != "" { // all that was left changed meanwhile; a page cannot be empty
			e, err := decodeEntry(l.last, []byte{0})
			if err != nil {
				return err
			}
			n, err := loadNote(tx, e.Ref)
			if err != nil || n == nil {
				return err
			}
			e.kind, e.at, e.deleted = n.kind, n.at, n.deleted
			rows = append(rows, found{entry: e})
		}
		if l.verb != "ListRecords" {
			return nil
		}
		return p.fill(tx, rows)
	})
	return rows, more, err
}

// fill reads the listings of a page.
func (p *Provider) fill(tx *store.Tx, rows []found) (err error) {
	for i := range rows {
		if rows[i].deleted {
			continue
		}
		if rows[i].listing, _, err = p.current(tx, rows[i].Ref); err != nil {
			return err
		}
	}
	return nil
}
