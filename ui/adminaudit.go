package ui

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The audit log: who did what and when, in words as far as there are words, and the chain of hashes that proves it.

const (
	auditPath    = adminPath + "/audit"
	entriesShown = 50
	faultsShown  = 20
)

type auditPage struct {
	adminFrame
	Head       string // number of the newest entry; "" for none
	Hash       string
	Verified   template.HTML // outcome of the check of the whole log; "" where none was asked for
	Faults     []template.HTML
	Filter     auditFilter
	Filtered   bool
	Entries    []logRow
	Asked      bool
	Prev, Next string
	Download   string // address of the entries that fit, as JSON Lines
}

type auditFilter struct {
	Actor, From, Until string
	Subject            string // kind and id, where the address names one
	Of, ID             string
	Without            string // address without the subject
	Kinds, Groups      []option
	ByEmail            bool // people can be named by address
}

type logRow struct {
	Seq, At, Code    string
	Who, What        template.HTML
	Of               template.HTML
	OfHref           string
	Short, Hash      string
	Detail           []string
	Before, After    string
	ActorHref, Token string
}

// auditGroups are the first parts of actions that can be asked for: each has the words admin.audit.group.….
func auditGroups() []string {
	return []string{"posting", "listing", "import", "mapping", "repository", "document", "grant", "user", "invitation", "session", "signin", "passkey", "identity", "token", "organisation", "setup", "node"}
}

// auditKinds are who can have acted.
func auditKinds() []audit.ActorKind {
	return []audit.ActorKind{audit.Person, audit.Token, audit.Operator, audit.Node}
}

func (s *site) auditLog(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	return s.auditView(r, a, auditPage{})
}

// filterOf the address. A person may be named by email address, where the visitor may look people up.
func (s *site) filterOf(q url.Values, a access.Actor) (f audit.Filter, err error) {
	f = audit.Filter{Kind: audit.ActorKind(q.Get("kind")), ResourceKind: q.Get("of"), Resource: q.Get("id"), Actor: strings.TrimSpace(q.Get("actor"))}
	if g := q.Get("group"); slices.Contains(auditGroups(), g) {
		f.Action = g + "."
	}
	var faults protocol.Errors
	if strings.Contains(f.Actor, "@") {
		u, err := s.cfg.House.People.UserOf(a, f.Actor)
		if err != nil {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, "actor", "%s", protocol.All(err)[0].Message))
		}
		f.Actor = string(u.ID)
	}
	day := func(name string) time.Time {
		t, err := time.Parse(time.DateOnly, q.Get(name))
		if err != nil && q.Get(name) != "" {
			faults = append(faults, protocol.Errorf(protocol.CodeValue, name, "a date such as 2026-11-23"))
		}
		return t
	}
	f.From = day("from")
	if f.Until = day("until"); !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1) // that day, too
	}
	if len(f.Actor) > 64 || len(f.ResourceKind) > 64 || len(f.Resource) > 256 || f.Kind != "" && !slices.Contains(auditKinds(), f.Kind) {
		faults = append(faults, protocol.Errorf(protocol.CodeValue, "actor", "no entry can be of that"))
	}
	if len(faults) > 0 {
		return f, faults
	}
	return f, nil
}

func (s *site) auditView(r *http.Request, a access.Actor, p auditPage) (view, error) {
	say, q := printer(r), r.URL.Query()
	p.adminFrame = s.keyed(r, a, auditPath, "nav.audit")
	head, err := s.cfg.House.LogHead(a)
	if err != nil {
		return view{}, err
	}
	if head.Seq > 0 {
		p.Head, p.Hash = strconv.FormatUint(head.Seq, 10), head.Hash.String()
	}
	f, err := s.filterOf(q, a)
	code := p.refused(say, err)
	p.fillFilter(say, q, f, may(a, access.ReadPeople))
	if err != nil {
		return view{"admin-audit", p, code}, nil
	}
	before, _ := strconv.ParseUint(q.Get("before"), 10, 64)
	list, next, err := s.cfg.House.Log(a, f, before, entriesShown)
	if err != nil {
		return view{}, err
	}
	names := s.namesFor(a)
	for _, e := range list {
		p.Entries = append(p.Entries, entryOf(say, e, names))
	}
	p.Asked = before > 0
	p.Prev, p.Next = turned(r, auditPath, "before", "", p.Asked), turned(r, auditPath, "before", strconv.FormatUint(next, 10), next > 0)
	p.Download = exportOf(f)
	return view{"admin-audit", p, code}, nil
}

func (p *auditPage) fillFilter(say *lang.Printer, q url.Values, f audit.Filter, people bool) {
	p.Filter = auditFilter{Actor: q.Get("actor"), From: q.Get("from"), Until: q.Get("until"), Of: f.ResourceKind, ID: f.Resource, ByEmail: people}
	if f.ResourceKind != "" || f.Resource != "" {
		p.Filter.Subject = strings.TrimSpace(f.ResourceKind + " " + f.Resource)
		rest := url.Values{}
		for _, name := range []string{"actor", "kind", "group", "from", "until"} {
			if v := q.Get(name); v != "" {
				rest.Set(name, v)
			}
		}
		p.Filter.Without = auditPath + "?" + rest.Encode()
	}
	for _, k := range auditKinds() {
		p.Filter.Kinds = append(p.Filter.Kinds, option{Value: string(k), Label: say.T("admin.audit.kind." + string(k)), Selected: f.Kind == k})
	}
	for _, g := range auditGroups() {
		p.Filter.Groups = append(p.Filter.Groups, option{Value: g, Label: say.T("admin.audit.group." + g), Selected: f.Action == g+"."})
	}
	p.Filtered = f != audit.Filter{}
}

// exportOf is the address at which the API gives the entries that fit.
func exportOf(f audit.Filter) string {
	q := url.Values{}
	for name, v := range map[string]string{"actor": f.Actor, "kind": string(f.Kind), "action": f.Action, "resource_kind": f.ResourceKind, "resource": f.Resource} {
		if v != "" {
			q.Set(name, v)
		}
	}
	for name, t := range map[string]time.Time{"since": f.From, "until": f.Until} {
		if !t.IsZero() {
			q.Set(name, t.Format(time.RFC3339))
		}
	}
	to := "/api/v1/audit/export"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return to
}

// namesFor gives names of people to who may look them up, each asked for once; "" to others, and for who was erased.
func (s *site) namesFor(a access.Actor) func(id string) string {
	known := map[string]string{}
	return func(id string) string {
		if id == "" || !may(a, access.ReadPeople) {
			return ""
		}
		name, ok := known[id]
		if !ok {
			if u, err := s.cfg.House.People.User(a, access.UserID(id)); err == nil {
				name = u.Name
			}
			known[id] = name
		}
		return name
	}
}

func entryOf(p *lang.Printer, e house.LogEntry, name func(string) string) logRow {
	row := logRow{
		Seq: strconv.FormatUint(e.Seq, 10), At: p.Moment(protocol.InstantOf(e.At)), Code: e.Action, What: actWords(p, e.Action), Short: shortHash(e.Hash), Hash: e.Hash.String(),
		Token: e.Token,
	}
	switch e.Kind {
	case audit.Operator, audit.Node:
		row.Who = p.HTML("admin.audit.kind." + string(e.Kind))
	default:
		if n := name(e.ActorUser); n != "" {
			row.Who, row.ActorHref = voice(n), personPath(access.UserID(e.ActorUser))
		} else {
			row.Who = p.HTML("admin.audit.pseudonym", "Name", e.Actor, lang.NewSlot("code"))
		}
	}
	if e.ResourceKind != "" {
		id := e.Resource
		if n := name(e.ResourceUser); n != "" {
			row.Of = voice(n)
		} else {
			row.Of = voice(strings.TrimSpace(e.ResourceKind + " " + abridged(id)))
		}
		row.OfHref = auditPath + "?" + url.Values{"of": {e.ResourceKind}, "id": {id}}.Encode()
	}
	for _, k := range slices.Sorted(maps.Keys(e.Detail)) {
		row.Detail = append(row.Detail, k+": "+e.Detail[k])
	}
	if e.Before != (protocol.Hash{}) {
		row.Before = shortHash(e.Before)
	}
	if e.After != (protocol.Hash{}) {
		row.After = shortHash(e.After)
	}
	return row
}

// abridged is the beginning of an id that is too long for a table.
func abridged(id string) string {
	if len(id) <= 26 {
		return id
	}
	return id[:12] + "…"
}

// actWords say what was done: listings' acts have words of their own, others those of their group.
func actWords(p *lang.Printer, action string) template.HTML {
	group, what, _ := strings.Cut(action, ".")
	if group == "posting" {
		return p.HTML("form.fault", "Field", p.HTML("admin.audit.group.posting"), "Fault", actionInWords(p, posting.Action(what)))
	}
	if slices.Contains(auditGroups(), group) {
		return p.HTML("admin.audit.group." + group)
	}
	return p.HTML("form.other")
}

// verifyLog reads the whole log, once at a time.
func (s *site) verifyLog(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	if !s.verifying.TryLock() {
		return view{}, protocol.Errorf(protocol.CodeUnavailable, "", "the log is being verified already: try again in a minute")
	}
	defer s.verifying.Unlock()
	say := printer(r)
	var p auditPage
	faults := 0
	head, err := s.cfg.House.VerifyLog(a, func(f audit.Fault) {
		if faults++; len(p.Faults) < faultsShown {
			p.Faults = append(p.Faults, stated(say, f.String()))
		}
	})
	if err != nil {
		return view{}, err
	}
	if p.Verified = say.HTML("admin.audit.verified", "N", strconv.FormatUint(head.Seq, 10)); faults > 0 {
		p.Verified = say.HTMLN("admin.audit.broken", faults)
	}
	return s.auditView(r, a, p)
}
