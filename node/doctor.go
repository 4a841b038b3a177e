package node

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Examine checks the running node, for its operator: whatever keeps it from signing, its place among the members, and
// what wears out.
func (n *Node) Examine() []exchange.Finding {
	var f exchange.Findings
	members := n.Members()
	n.examineSigning(&f)
	n.examineDisk(&f)
	n.examineCharter(&f)
	n.examineMembers(&f, members)
	n.examineAcknowledged(&f, members)
	n.examineHistory(&f, members)
	n.examineClock(&f)
	n.examineWork(&f)
	n.examineBackups(&f)
	n.examineHouse(&f)
	ExamineCertificate(&f, n.cfg.Certificate, n.cfg.Key, n.cfg.Now())
	ExamineSystem(&f, n.cfg.Listen)
	return f
}

func (n *Node) examineSigning(f *exchange.Findings) {
	if why := n.blocked.Load(); why != nil {
		f.Fault("publishing", "Do what it says; docs/operations.md tells more. Queries are answered meanwhile.", "%s", *why)
	} else {
		f.Fine("publishing", "open")
	}
	if why := n.twin(); why != "" {
		f.Fault("second copy", "Stop all copies of this node but one, delete the others' data and keys, and restart the one.", "%s", why)
	}
	if n.guard != nil {
		n.mu.Lock()
		c := n.copies[n.cfg.Member]
		n.mu.Unlock()
		examineGuard(f, n.guard.Mark(), c.Proven, c.Header)
	}
	if err := n.store.View(func(tx *store.Tx) error { return examineSeal(f, tx, n.roster.Load(), n.cfg.Member) }); err != nil {
		f.Fault("card", "Stop the node and run tmh verify.", "the own catalogue cannot be read: %s", err)
	}
	heard, silent := n.heardOwn()
	switch {
	case n.cfg.Alone:
		f.Warn("started alone", "Start it without --alone as soon as over half of the members can be reached.",
			"--alone lets this node sign though %d of %d other members did not say what they hold of its catalogue", len(silent), len(heard)+len(silent))
	case len(heard)+len(silent) == 0:
	case len(silent) > 0:
		f.Warn("own history elsewhere", "Nothing, if they come back: they are asked as soon as they connect.", "not heard since the start: %s; they may hold what shows a loss or a fork", names(silent))
	default:
		f.Fine("own history elsewhere", "all other members said what they hold of this catalogue")
	}
	if k := n.strays(); k > 0 {
		f.Fault("own changes elsewhere", "Run tmh epoch open: it says which reason fits, and what becomes of them.", "others hold %s of this node's that do not follow what is held here", count(k, "change"))
	}
}

// examineGuard compares the guard file with the own catalogue.
func examineGuard(f *exchange.Findings, mark store.Mark, held protocol.Position, header protocol.Hash) {
	switch order := mark.Pos.Compare(held); {
	case order > 0:
		f.Fault("guard", "Put a newer copy of the data folder in place (tmh restore). If there is none, start the node, which draws back what the others hold, and then run tmh epoch open --reason loss.",
			"this node signed up to %s, and the store ends at %s: changes were lost, most likely by a restore", mark.Pos, held)
	case order == 0 && held.Seq > 0 && mark.Header != header:
		f.Fault("guard", "Put the data folder and the guard of one and the same node together.", "guard and store name different changes at %s: they belong to different histories", held)
	case order < 0 && held.Seq > 0:
		f.Warn("guard", "Nothing: the node brings it up to date at its start. Keep the guard file out of backups.", "the guard file knows of %s only, and the store holds %s", mark.Pos, held)
	default:
		f.Fine("guard", "agrees with the store at %s", held)
	}
}

// examineSeal checks that the card in force lets stand what is held of the own catalogue.
func examineSeal(f *exchange.Findings, tx *store.Tx, roster *protocol.Roster, member protocol.MemberID) error {
	set := tx.Origin(member)
	c, err := loadCopy(set, member)
	if err != nil || c.CatchingUp() || c.Proven.Seq == 0 {
		return err
	}
	at := []protocol.Position{c.Proven}
	if card := roster.Card(member); card != nil {
		at = append(at, card.Keys[len(card.Keys)-1].From) // what was signed there with the key before is void, and so is what stands on it
	}
	for _, pos := range at {
		h, err := set.HeaderAt(pos)
		if err != nil {
			return err
		}
		if h == nil || roster.VerifyHeader(h) == nil {
			continue
		}
		f.Fault("card", "Publish nothing. Stop the node, move its data folder away, and put a backup of before the seal in place (tmh restore); then start it and run tmh epoch open --reason key.",
			"the card in force does not let stand what is held at %s: its key was sealed below", pos)
		break
	}
	return nil
}

func (n *Node) examineDisk(f *exchange.Findings) {
	space := n.store.Space()
	examineSpace(f, space.Free, space.MinFree, space.ReadOnly)
}

func examineSpace(f *exchange.Findings, free, wanted uint64, readOnly bool) {
	const next = "Make room: remove old backups or logs, or give the disk more space. The node takes changes again by itself. Delete nothing in the data folder."
	switch {
	case readOnly || free < wanted:
		f.Fault("disk", next, "%d MiB free, %d MiB wanted: no change is taken", free>>20, wanted>>20)
	case free < 2*wanted:
		f.Warn("disk", next, "%d MiB free; below %d MiB no change is taken", free>>20, wanted>>20)
	default:
		f.Fine("disk", "%d MiB free; below %d MiB no change is taken", free>>20, wanted>>20)
	}
}

func (n *Node) examineCharter(f *exchange.Findings) {
	c := n.roster.Load().Charter()
	if rival := n.rival(); rival != nil {
		f.Fault("charter", "The members must agree which one holds; until then no further charter is adopted. Compare them with tmh charter show.",
			"there are two valid charters %d: %s and another one, %s", rival.Version, c.Hash.Short(), rival.Hash.Short())
		return
	}
	f.Fine("charter", "%d of %q, %s", c.Version, c.Name, count(len(c.Members), "member"))
}

func (n *Node) examineMembers(f *exchange.Findings, members []exchange.MemberState) {
	var away []protocol.MemberID
	others := 0
	for _, m := range members {
		if m.Self {
			continue
		}
		others++
		if !m.Connected {
			away = append(away, m.ID)
		}
		check := "member " + string(m.ID)
		switch m.State {
		case exchange.Disputed:
			f.Fault(check, "Call its operator. What is shown stays as it was before its two histories part, until it opens a new epoch.", "%s", m.Why)
		case exchange.Stale:
			f.Warn(check, "Call its operator if it stays silent. Its listings stay, marked as stale.", "%s", m.Why)
		case exchange.CatchingUp:
			f.Warn(check, "Nothing at first: it is drawn from whoever holds it. If it lasts, look for \"pull did not end in proof\" in the log.", "%s", m.Why)
		case exchange.Unheard:
			f.Warn(check, "See whether its card is held here (tmh card show), and whether its node runs.", "%s", m.Why)
		}
		if faults := n.faultsOf(m.ID); len(faults) > 0 {
			var all []string
			for _, x := range faults {
				all = append(all, fmt.Sprintf("%s %d times", x.Code, x.Count))
			}
			f.Warn(check, "Tell its operator: its node is faulty, or not honest. Nothing of it was taken over.", "did since the start of this node what no node of ours does: %s", strings.Join(all, ", "))
		}
	}
	switch {
	case others == 0:
		f.Fine("network", "there is no other member")
	case len(away) == others:
		f.Fault("network", "Check the network, the firewall, and the addresses on the cards (tmh card show): TCP and UDP of the port in listen must be open.", "none of the %d other members is connected%s", others, n.knock(away))
	case len(away) > 0:
		f.Warn("network", "Ask their operators whether their nodes run, and whether the addresses on their cards are right (tmh card show).", "not connected: %s%s", names(away), n.knock(away))
	default:
		f.Fine("network", "all %d other members are connected", others)
	}
}

func (n *Node) examineAcknowledged(f *exchange.Findings, members []exchange.MemberState) {
	own := members[slices.IndexFunc(members, func(m exchange.MemberState) bool { return m.Self })]
	var behind []string
	whole := 0
	for _, m := range members {
		if m.Self {
			continue
		}
		if k := lag(own.Position, m.Acknowledged); k > 0 {
			behind = append(behind, fmt.Sprintf("%s (%d behind)", m.ID, k))
		} else {
			whole++
		}
	}
	switch {
	case len(members) == 1:
		f.Warn("copies elsewhere", "Take backups.", "this federation has no other member: nobody else holds this catalogue")
	case whole == 0 && own.Position.Seq > 0:
		f.Warn("copies elsewhere", "Wait for the members to connect; until then this disk holds the only copy that is known of: take a backup (tmh backup).", "no other member has said yet that it holds this catalogue up to %s", own.Position)
	case len(behind) > 0:
		f.Fine("copies elsewhere", "%d other members hold this catalogue up to %s; not yet, as far as they said: %s", whole, own.Position, strings.Join(behind, ", "))
	default:
		f.Fine("copies elsewhere", "all other members hold this catalogue up to %s", own.Position)
	}
	if own.Unusable > 0 {
		f.Warn("own listings", "Publish them again with a current program: it names what is wrong with each.", "%s signed here that nobody can show, because they are not valid", count(own.Unusable, "listing"))
	}
}

func (n *Node) examineHistory(f *exchange.Findings, members []exchange.MemberState) {
	for _, m := range members {
		check := "catalogue of " + string(m.ID)
		if m.Damage != "" {
			next := "Nothing at first: it is drawn anew from the other members. If it comes again, replace the disk."
			f.Fault(check, next, "the audit found damage in the copy held here: %s", m.Damage)
		}
		if m.Staging != nil {
			f.Warn(check, "Nothing: the copy held is shown until the new one is proven.", "is being drawn anew beside the copy held, so far up to %s", m.Staging.Drawn)
		}
		if m.Unusable > 0 && !m.Self {
			f.Warn(check, "Tell its operator.", "%s that are not valid, and are not shown", count(m.Unusable, "listing"))
		}
		d, err := n.Member(m.ID)
		if err != nil {
			f.Fault(check, "Stop the node and run tmh verify.", "cannot be read: %s", err)
			continue
		}
		if open := slices.DeleteFunc(d.Forks, func(x exchange.Fork) bool { return x.Over }); len(open) > 0 && m.Self {
			f.Fault("fork", "Stop all copies of this node but one, and run tmh epoch open --reason fork.", "two histories of this catalogue were signed: %s; they part at %s", count(len(open), "contradiction"), open[len(open)-1].One.Position)
		}
		if len(d.Epochs) > 0 {
			e := d.Epochs[0]
			f.Fine(check, "epoch %d since %s (%s), from %s on", e.Position.Epoch, e.OpenedAt.Time().Format(time.DateOnly), e.Reason, e.Base)
		}
	}
}

// Bounds of clock skew against the statements of others.
const (
	clockAhead  = time.Minute                 // that a statement may seem to come from the future
	clockBehind = 2*headEvery + 5*time.Minute // that a fresh statement may be old: one that was fetched is that of the last round
)

// examineClock compares this clock with those of connected members.
func (n *Node) examineClock(f *exchange.Findings) {
	ahead := make(map[protocol.MemberID]time.Duration)
	for _, m := range n.net.Connected() {
		n.mu.Lock()
		h := n.heads[m]
		n.mu.Unlock()
		if h.head != nil {
			ahead[m] = h.head.IssuedAt.Time().Sub(h.at.Time())
		}
	}
	judgeClock(f, ahead)
}

// judgeClock takes by how much the date of each connected member's newest statement was ahead of this clock when it came.
// A statement of the future shows that one of the two is wrong; where all fresh ones are old, this clock is ahead.
func judgeClock(f *exchange.Findings, ahead map[protocol.MemberID]time.Duration) {
	var future []protocol.MemberID
	old := 0
	for m, d := range ahead {
		switch {
		case d > clockAhead:
			future = append(future, m)
		case d < -clockBehind:
			old++
		}
	}
	slices.Sort(future)
	const next = "Set the clock, and let it be kept right: run timedatectl set-ntp true, or another NTP service."
	switch {
	case len(ahead) == 0:
		f.Fine("clock", "nobody to compare with")
	case 2*len(future) > len(ahead):
		f.Fault("clock", next, "most connected members' statements come from the future (%s): this clock is behind", names(future))
	case old == len(ahead) && old > 1:
		f.Fault("clock", next, "the newest statements of all connected members were over %s old when they came: this clock is ahead", clockBehind)
	case len(future) > 0:
		f.Warn("clock", "Tell their operators.", "over %s ahead of this one: the clocks of %s", clockAhead, names(future))
	default:
		f.Fine("clock", "agrees with that of %s", count(len(ahead), "connected member"))
	}
}

func (n *Node) examineWork(f *exchange.Findings) {
	if left := n.follow.indexing(); left > 0 {
		f.Warn("index", "Wait: searches find only what was read in so far.", "the catalogue is being read in, %.0f%% to go", 100*left)
	} else {
		f.Fine("index", "complete; %s waiting", count(n.Waiting(), "listing"))
	}
	if k := len(n.inbox); k > cap(n.inbox)/2 {
		f.Warn("inbox", "Look whether the disk is slow or the processor busy. What does not fit is drawn later.", "%d changes wait to be applied, of %d that may", k, cap(n.inbox))
	}
	age := n.cfg.Now().Sub(time.Unix(n.metrics.audited.Load(), 0))
	if age > 2*n.cfg.AuditEvery {
		f.Warn("audit", "Look for \"audit\" in the log; restart the node.", "no audit of everything held ended for %s", age.Round(time.Hour))
	} else {
		f.Fine("audit", "%s since the last one, or since the start", age.Round(time.Minute))
	}
}

func names(ids []protocol.MemberID) string {
	all := make([]string, 0, len(ids))
	for _, id := range ids {
		all = append(all, string(id))
	}
	return strings.Join(all, ", ")
}

func count(k int, noun string) string {
	if k == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", k, noun)
}
