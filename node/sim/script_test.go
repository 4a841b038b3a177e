package sim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// A script is a scenario as text: one verb a line, # begins a comment, and the first comment says what is promised and
// shown. It begins with who takes part:
//
//	members KH LA MY VN    two or more of ASEAN's members, the secretariat SEC included
//	on-disk KH LA          whose store is in a folder, with a guard file beside it: who else stops has lost everything
//	late LA                who is not started at first
//	liar VN                in whose place stands something that does what it is told: see the verb lie
//	outside TL             who has no seat in charter 1, and starts once another charter gave it one
//	retain 1h [6h]         withdrawals stay so long at least, and so long at most
//	audit 1h, scrub 1h     how often nodes audit what they hold, and erase what was superseded from their files
//	line 2                 every node's line carries so many Mbit/s, each way, instead of 50
//	seed 7                 which packets are lost; the keys follow from it too
//
// What follows is one step a line; verbs_test.go has the table. KH-3 is the third listing that KH publishes, KH2 the second
// copy of KH's node.
type script struct {
	text    string
	promise string
	cfg     Config
	steps   []scriptStep
	twins   map[protocol.MemberID]bool
	saved   map[string]bool // names of backups and snapshots
}

type scriptStep struct {
	line int
	text string
	act  act
}

// An act does a step. An error of unfit says that the step makes no sense as things stand.
type act func(p *play) error

// verb is a row of the table: how a person writes it, what it does, and how the rest of the line is read.
type verb struct {
	usage, about string
	read         func(a *args) act
}

// parse reads a script and names all of its faults by line.
func parse(text string) (*script, error) {
	s := &script{text: text, twins: make(map[protocol.MemberID]bool), saved: make(map[string]bool)}
	table, heads := verbs(), headLines()
	var faults []error
	n := 0
	for line := range strings.Lines(text) {
		n++
		words, comment, err := splitLine(line)
		if s.promise == "" {
			s.promise = comment
		}
		a := &args{script: s, rest: words}
		if err != nil {
			a.fail("%v", err)
		} else if len(words) > 0 {
			s.read(a, n, strings.TrimSpace(line), table, heads)
		}
		for _, f := range a.faults {
			faults = append(faults, fmt.Errorf("line %d: %s", n, f))
		}
	}
	if s.promise == "" {
		faults = append(faults, errors.New("line 1: no comment says what is promised"))
	}
	if len(s.steps) == 0 {
		faults = append(faults, fmt.Errorf("line %d: nothing happens", n))
	}
	return s, errors.Join(faults...)
}

func (s *script) read(a *args, n int, text string, table map[string]verb, heads map[string]func(*args)) {
	name := a.word("a verb")
	if head, ok := heads[name]; ok {
		switch {
		case len(s.steps) > 0:
			a.fail("%s stands after the first step", name)
		case name != "members" && len(s.cfg.Who) == 0:
			a.fail("%s stands before members", name)
		default:
			head(a)
		}
		a.end()
		return
	}
	v, ok := table[name]
	if !ok {
		a.fail("no verb %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(table)), ", "))
		return
	}
	if len(s.cfg.Who) == 0 {
		a.fail("the first line is members")
		return
	}
	act := v.read(a)
	a.end()
	if len(a.faults) > 0 {
		a.fail("usage: %s", v.usage)
	}
	s.steps = append(s.steps, scriptStep{n, text, act})
}

func headLines() map[string]func(*args) {
	return map[string]func(*args){
		"members": func(a *args) {
			for len(a.rest) > 0 {
				m := protocol.MemberID(a.word("a member"))
				if !slices.ContainsFunc(founding.ASEAN(), func(x protocol.Member) bool { return x.ID == m }) || slices.Contains(a.script.cfg.Who, m) {
					a.fail("%s is none of ASEAN's members, or named twice", m)
				}
				a.script.cfg.Who = append(a.script.cfg.Who, m)
			}
			if len(a.script.cfg.Who) < 2 {
				a.fail("fewer than two members")
			}
		},
		"on-disk": func(a *args) { a.script.cfg.Disk = a.members() },
		"late":    func(a *args) { a.script.cfg.Late = a.members() },
		"liar":    func(a *args) { a.script.cfg.Liars = a.members() },
		"outside": func(a *args) {
			a.script.cfg.Outside = a.members()
			if len(a.script.cfg.Who)-len(a.script.cfg.Outside) < 2 {
				a.fail("fewer than two members in charter 1")
			}
		},
		"retain": func(a *args) {
			a.script.cfg.Node.RetainLeast = a.duration()
			if len(a.rest) > 0 {
				a.script.cfg.Node.RetainMost = a.duration()
			}
		},
		"line":  func(a *args) { a.script.cfg.Bandwidth = a.count(1, 1000) },
		"audit": func(a *args) { a.script.cfg.Node.AuditEvery = a.duration() },
		"scrub": func(a *args) { a.script.cfg.Node.Store.ScrubEvery = a.duration() },
		"seed":  func(a *args) { a.script.cfg.Seed = uint64(a.count(0, 1<<31-1)) },
	}
}

// splitLine cuts a line into words, of which those in quotation marks may hold spaces, and the comment.
func splitLine(line string) (words []string, comment string, err error) {
	rest := strings.TrimSpace(line)
	for rest != "" {
		switch rest[0] {
		case '#':
			return words, strings.TrimSpace(rest[1:]), nil
		case '"':
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return nil, "", errors.New("a quotation mark is not closed")
			}
			words, rest = append(words, rest[1:1+end]), strings.TrimSpace(rest[2+end:])
		default:
			end := strings.IndexAny(rest, " \t")
			if end < 0 {
				end = len(rest)
			}
			words, rest = append(words, rest[:end]), strings.TrimSpace(rest[end:])
		}
	}
	return words, "", nil
}

// args is the rest of a line as a verb reads it. What is at fault is noted, and reading goes on.
type args struct {
	script *script
	rest   []string
	faults []string
}

func (a *args) fail(format string, v ...any) { a.faults = append(a.faults, fmt.Sprintf(format, v...)) }

func (a *args) end() {
	if len(a.rest) > 0 && len(a.faults) == 0 {
		a.fail("too much: %s", strings.Join(a.rest, " "))
	}
}

func (a *args) word(what string) string {
	if len(a.rest) == 0 {
		a.fail("%s is missing", what)
		return ""
	}
	w := a.rest[0]
	a.rest = a.rest[1:]
	return w
}

// is takes the next word where it is the one wanted.
func (a *args) is(want string) bool {
	if len(a.rest) == 0 || a.rest[0] != want {
		return false
	}
	a.rest = a.rest[1:]
	return true
}

// member of the script.
func (a *args) member() protocol.MemberID {
	m := protocol.MemberID(a.word("a member"))
	if m != "" && !slices.Contains(a.script.cfg.Who, m) {
		a.fail("%s does not take part", m)
	}
	return m
}

// node is a member that runs one, or its second copy.
func (a *args) node() protocol.MemberID {
	if len(a.rest) > 0 && a.script.twins[protocol.MemberID(a.rest[0])] {
		return protocol.MemberID(a.word(""))
	}
	m := a.member()
	if slices.Contains(a.script.cfg.Liars, m) {
		a.fail("%s runs no node: it is a liar", m)
	}
	return m
}

// kept is a member whose node has a folder.
func (a *args) kept() protocol.MemberID {
	m := a.node()
	if m != "" && !a.script.twins[m] && !slices.Contains(a.script.cfg.Disk, m) {
		a.fail("%s is not on disk", m)
	}
	return m
}

// members are all that follow, up to a bar.
func (a *args) members() (all []protocol.MemberID) {
	for len(a.rest) > 0 && a.rest[0] != "|" {
		if a.script.twins[protocol.MemberID(a.rest[0])] {
			all = append(all, protocol.MemberID(a.word("")))
			continue
		}
		all = append(all, a.member())
	}
	if len(all) == 0 {
		a.fail("a member is missing")
	}
	return all
}

func (a *args) count(least, most int) int {
	w := a.word("a number")
	n, err := strconv.Atoi(w)
	if w != "" && (err != nil || n < least || n > most) {
		a.fail("%q is no number from %d to %d", w, least, most)
	}
	return n
}

func (a *args) duration() time.Duration {
	w := a.word("a duration")
	d, err := time.ParseDuration(w)
	if w != "" && (err != nil || d <= 0 || d > 100*24*time.Hour) {
		a.fail("%q is no duration such as 30s, 5m or 24h", w)
	}
	return d
}

// within is the time allowed at the end of a line, 0 where none is given.
func (a *args) within() time.Duration {
	if !a.is("within") {
		return 0
	}
	return a.duration()
}

// position like 1.5.
func (a *args) position() (p protocol.Position) {
	w := a.word("a position")
	e, s, ok := strings.Cut(w, ".")
	var errs [2]error
	p.Epoch, errs[0] = strconv.ParseUint(e, 10, 32)
	p.Seq, errs[1] = strconv.ParseUint(s, 10, 32)
	if w != "" && (!ok || errors.Join(errs[:]...) != nil || p.Epoch == 0) {
		a.fail("%q is no position such as 1.5", w)
	}
	return p
}

// listing like KH-3.
func (a *args) listing() (r match.Ref) {
	w := a.word("a listing")
	origin, number, ok := strings.Cut(w, "-")
	if _, err := strconv.Atoi(number); w != "" && (!ok || err != nil || !slices.Contains(a.script.cfg.Who, protocol.MemberID(origin))) {
		a.fail("%q is no listing such as KH-3", w)
	}
	return match.Ref{Origin: protocol.MemberID(origin), ID: protocol.ListingID(w)}
}

// save is the name of a new backup or snapshot, and saved of one that a step before made.
func (a *args) save() string {
	name := a.word("a name")
	a.script.saved[name] = true
	return name
}

func (a *args) savedName() string {
	name := a.word("a name")
	if name != "" && !a.script.saved[name] {
		a.fail("nothing was saved as %s before", name)
	}
	return name
}
