package ui

import (
	"context"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/ui/lang"
)

// The checks of tmh doctor, and the backups on schedule.

const checksPath = adminPath + "/checks"

// How old what was found may be before the checks run again, and how long a page waits for them: they try the mail server and the
// members that are away, which takes long where these are silent.
const (
	checksHold   = 10 * time.Minute
	checksWait   = 2 * time.Second
	checksAsked  = 25 * time.Second
	shownBackups = 10
)

// checkup is what the checks found last. They run once at a time, whoever asks for them.
type checkup struct {
	mu      sync.Mutex
	running chan struct{} // closed at the end of the run; nil: none is under way
	found   []exchange.Finding
	at      time.Time // zero: never
}

// examine gives what the checks found, at most so old; where they take longer than wait, what they found before.
func (s *site) examine(ctx context.Context, oldest, wait time.Duration) (found []exchange.Finding, at time.Time, running bool) {
	c := &s.checkup
	c.mu.Lock()
	if c.running == nil && (c.at.IsZero() || s.cfg.Now().Sub(c.at) >= oldest) {
		c.running = make(chan struct{})
		go s.runChecks(c.running)
	}
	end := c.running
	c.mu.Unlock()
	if end != nil {
		late := time.NewTimer(wait)
		defer late.Stop()
		select {
		case <-end:
		case <-late.C:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found, c.at, c.running != nil
}

func (s *site) runChecks(end chan struct{}) {
	c := &s.checkup
	var found []exchange.Finding
	defer func() {
		if p := recover(); p != nil { // as in a handler: a fault of the checks is not the node's end
			s.cfg.Log.Error("checks panicked", "panic", p)
		}
		c.mu.Lock()
		c.found, c.at, c.running = found, s.cfg.Now(), nil
		c.mu.Unlock()
		close(end)
	}()
	found = s.cfg.Examine()
}

type checksPage struct {
	adminFrame
	At      string
	Running bool
	Groups  []findingGroup
}

// findingGroup are the findings of a level.
type findingGroup struct {
	ID, Class string // of the list: "fault", "wait", "done"
	Heading   template.HTML
	Level     template.HTML
	Findings  []finding
}

type finding struct{ Check, What, Next template.HTML }

func (s *site) checks(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	say := printer(r)
	p := checksPage{adminFrame: s.keyed(r, a, checksPath, "nav.checks")}
	if s.cfg.Examine == nil {
		return view{"admin-checks", p, http.StatusOK}, nil
	}
	found, at, running := s.examine(r.Context(), checksHold, checksWait)
	p.At, _ = s.moment(say, at)
	p.Running = running
	for _, g := range []struct {
		level            exchange.Level
		id, class, title string
	}{
		{exchange.Fault, "faults", "fault", "admin.checks.faults"}, {exchange.Warning, "warnings", "wait", "admin.checks.warnings"}, {exchange.Fine, "fine", "done", "admin.checks.fine"},
	} {
		group := findingGroup{ID: g.id, Class: g.class, Heading: say.HTML(g.title), Level: levelInWords(say, g.level)}
		for _, f := range found {
			if f.Level == g.level {
				group.Findings = append(group.Findings, finding{english(say, f.Check), stated(say, f.What), clause(say, f.Next)})
			}
		}
		if len(group.Findings) > 0 {
			p.Groups = append(p.Groups, group)
		}
	}
	return view{"admin-checks", p, http.StatusOK}, nil
}

func (s *site) checkAgain(w http.ResponseWriter, r *http.Request, _ access.Actor) (view, error) {
	if s.cfg.Examine != nil {
		s.examine(r.Context(), 0, checksAsked)
	}
	return moved(w, r, checksPath)
}

func (s *site) checksRow(r *http.Request) adminRow {
	p := printer(r)
	found, at, _ := s.examine(r.Context(), checksHold, checksWait)
	x := adminRow{ID: "checks", Href: checksPath, Name: p.HTML("nav.checks"), How: p.HTML("admin.checks.running")}
	if at.IsZero() {
		return x
	}
	count := map[exchange.Level]int{}
	for _, f := range found {
		count[f.Level]++
	}
	worst := exchange.Fine
	if count[exchange.Warning] > 0 {
		worst = exchange.Warning
	}
	if count[exchange.Fault] > 0 {
		worst = exchange.Fault
	}
	x.How = p.HTML("admin.checks.sum", "Faults", count[exchange.Fault], "Warnings", count[exchange.Warning], "Fine", count[exchange.Fine])
	x.Tag, x.Class = levelInWords(p, worst), levelClass(worst)
	return x
}

// Backups are those that the node takes on schedule.
type Backups struct {
	Dir      string // "": none
	Every    time.Duration
	Keep     int
	Made     []time.Time // the newest last
	Given    []time.Time // to who took one by hand, the newest last
	Failures int         // in a row
	Why      string      // of the last failure
}

// late reports whether the newest is older than it should be.
func (b Backups) late(now time.Time) bool {
	return len(b.Made) == 0 || now.Sub(b.Made[len(b.Made)-1]) > 2*b.Every
}

type backupPage struct {
	adminFrame
	State template.HTML
	Class string // of the notice: "good", "wait", "bad"
	Why   template.HTML
	Facts []fact
	Known bool     // what this node has given out
	Made  []string // when, the newest first
	Given []string
}

func (s *site) backupPage(_ http.ResponseWriter, r *http.Request, a access.Actor) (view, error) {
	say := printer(r)
	p := backupPage{adminFrame: s.keyed(r, a, adminPath+"/backup", "nav.backup")}
	if s.cfg.Backups == nil {
		return view{"admin-backup", p, http.StatusOK}, nil
	}
	b, err := s.cfg.Backups()
	p.State, p.Class = s.backupState(say, b, err)
	switch {
	case err != nil:
		p.Why = voice(err.Error()) // of the operating system: names a path, which administrators may know
	case b.Failures > 0:
		p.Why = clause(say, b.Why)
	}
	if b.Dir != "" {
		f := factList{p: say}
		f.add("admin.backup.folder", voice(b.Dir))
		f.add("admin.backup.every", voice(say.N("unit.hours", int(b.Every/time.Hour))))
		if b.Every < time.Hour {
			f.list[1].Items = []template.HTML{voice(say.N("unit.minutes", int(b.Every/time.Minute)))}
		}
		f.add("admin.backup.keep", voice(say.Number(b.Keep)))
		p.Facts = f.list
	}
	p.Known = true
	p.Made, p.Given = s.lastMoments(say, b.Made), s.lastMoments(say, b.Given)
	return view{"admin-backup", p, http.StatusOK}, nil
}

// lastMoments in words, the newest first.
func (s *site) lastMoments(p *lang.Printer, all []time.Time) (list []string) {
	for i := len(all) - 1; i >= 0 && len(list) < shownBackups; i-- {
		at, _ := s.moment(p, all[i])
		list = append(list, at)
	}
	return list
}

// backupState in words, and the level as the class of a notice or tag.
func (s *site) backupState(p *lang.Printer, b Backups, err error) (template.HTML, string) {
	bad, wait := levelClass(exchange.Fault), levelClass(exchange.Warning)
	switch {
	case b.Dir == "":
		return p.HTML("admin.backup.off"), wait
	case err != nil:
		return p.HTML("admin.backup.unread"), bad
	case b.Failures > 0:
		return p.HTML("admin.backup.failed"), bad
	case len(b.Made) == 0:
		return p.HTML("admin.backup.none"), wait
	}
	at, ago := s.moment(p, b.Made[len(b.Made)-1])
	if b.late(s.cfg.Now()) {
		return p.HTML("admin.backup.late", "Moment", at, "Ago", ago), bad
	}
	return p.HTML("admin.backup.newest", "Moment", at, "Ago", ago), levelClass(exchange.Fine)
}

func (s *site) backupRow(r *http.Request, _ access.Actor) (x adminRow, err error) {
	if s.cfg.Backups == nil {
		return x, nil
	}
	p := printer(r)
	b, err := s.cfg.Backups()
	x = adminRow{ID: "backup", Href: adminPath + "/backup", Name: p.HTML("nav.backup")}
	x.How, x.Class = s.backupState(p, b, err)
	for _, l := range []exchange.Level{exchange.Fault, exchange.Warning, exchange.Fine} {
		if levelClass(l) == x.Class {
			x.Tag = levelInWords(p, l)
		}
	}
	return x, nil
}
