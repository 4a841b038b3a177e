package sim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Charters, cards and keys that change while the federation lives, and what must be gone from files.

func paperVerbs() map[string]verb {
	return map[string]verb{
		"card":    {"card KH seal 1.40", "KH does not run: its next card closes the record key at that position, and names a new one", readCard},
		"move":    {"move KH", "KH does not run: it gets a new transport key and another address, which its next card names", onResting((*args).node, (*play).move)},
		"charter": {"charter 2 with TL by KH | charter 2 without MY by KH", "over half of the members sign such a charter, and KH's operator adopts it", readCharter},
		"import":  {"import KH", "KH's operator takes over all papers that there are by hand", onAny((*args).node, (*play).importPapers)},
	}
}

func onAny(who func(*args) protocol.MemberID, do func(*play, protocol.MemberID) error) func(*args) act {
	return func(a *args) act {
		m := who(a)
		return func(p *play) error { return do(p, m) }
	}
}

func readCard(a *args) act {
	m := a.node()
	if !a.is("seal") {
		a.fail("seal is missing")
	}
	pos := a.position()
	return func(p *play) error {
		if err := p.resting(m); err != nil {
			return err
		}
		var sealed *protocol.SignedHeader
		for h := p.model.acked[m]; h != nil && sealed == nil; h = p.model.signed[h.Prev] {
			if h.Pos == pos {
				sealed = h
			}
		}
		if sealed == nil {
			return unfit{fmt.Sprintf("%s signed nothing at %s", m, pos)}
		}
		s := p.f.seats[m]
		have := p.model.roster.Card(m)
		s.Record = protocol.NewSigner(keyOf(fmt.Sprintf("%s record %d", m, have.Version+1)))
		next := have.Card
		next.Keys = slices.Clone(next.Keys)
		last := &next.Keys[len(next.Keys)-1]
		last.To, last.Seal = pos, sealed.Raw
		next.Keys = append(next.Keys, protocol.RecordKeyRange{Key: s.Record.Public(), From: protocol.Position{Epoch: pos.Epoch, Seq: pos.Seq + 1}})
		return p.issue(s, next)
	}
}

func keyOf(seed string) ed25519.PrivateKey {
	s := sha256.Sum256([]byte(seed))
	return ed25519.NewKeyFromSeed(s[:])
}

// issue signs a member's next card and puts it beside the papers of that member alone.
func (p *play) issue(s founding.Seat, c protocol.Card) error {
	c.Version++
	c.IssuedAt = protocol.InstantOf(time.Now())
	card, err := protocol.SignCard(s.Governance, c)
	if err != nil {
		return err
	}
	p.f.seats[s.Member.ID] = s
	return p.publishPapers(s.Member.ID, &protocol.Papers{Cards: []*protocol.SignedCard{card}})
}

func (p *play) publishPapers(m protocol.MemberID, papers *protocol.Papers) error {
	if err := p.f.Give(m, papers); err != nil {
		return err
	}
	p.papers.Charters, p.papers.Cards = append(p.papers.Charters, papers.Charters...), append(p.papers.Cards, papers.Cards...)
	return p.model.amend(papers)
}

func (p *play) move(m protocol.MemberID) error {
	if p.f.moved[m] || p.f.dirs[TwinOf(m)] != "" {
		return unfit{fmt.Sprintf("%s has no third place", m)}
	}
	p.f.moved[m] = true
	s := p.f.seats[m]
	have := p.model.roster.Card(m)
	s.Transport, s.Addresses = keyOf(fmt.Sprintf("%s transport %d", m, have.Version+1)), []string{address(p.f.index(m))}
	next := have.Card
	next.Peers = []protocol.Peer{{ID: p2p.PeerIDOf(s.Transport.Public().(ed25519.PublicKey)), Addresses: s.Addresses}}
	return p.issue(s, next)
}

func (p *play) importPapers(m protocol.MemberID) error { return p.f.Give(m, &p.papers) }

func (a *args) charter() (version uint64, with bool, of protocol.MemberID) {
	version, with = uint64(a.count(2, 100)), a.is("with")
	if !with && !a.is("without") {
		a.fail("with or without is missing")
	}
	return version, with, a.member()
}

func readCharter(a *args) act {
	version, with, of := a.charter()
	if !a.is("by") {
		a.fail("by is missing")
	}
	by := a.node()
	return func(p *play) error { return p.amend(version, with, of, by) }
}

// amend makes a charter that follows the one before this version, whether there is one of this version already or not.
func (p *play) amend(version uint64, with bool, of, by protocol.MemberID) error {
	if version > uint64(len(p.charters))+1 {
		return unfit{fmt.Sprintf("there is no charter %d", version-1)}
	}
	before := p.charters[version-2]
	c := before.Charter
	c.Version, c.Federation, c.Prev, c.IssuedAt = version, p.model.roster.Federation(), before.Hash, protocol.InstantOf(time.Now())
	c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(m protocol.Member) bool { return m.ID == of })
	var cards []*protocol.SignedCard
	if with {
		c.Members = append(c.Members, p.f.seats[of].Member)
		slices.SortFunc(c.Members, func(a, b protocol.Member) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
		card, err := founding.Card(p.f.seats[of], p.model.roster.Federation(), 1, time.Now())
		if err != nil {
			return err
		}
		cards = append(cards, card)
	}
	charter, err := protocol.NewCharter(c)
	if err != nil {
		return err
	}
	for i, m := range before.Members {
		if m.ID != of && i < len(before.Members)/2+2 { // over half of the one and of the other
			charter.Sign(p.f.seats[m.ID].Governance)
		}
	}
	papers := &protocol.Papers{Charters: []*protocol.SignedCharter{charter}, Cards: cards}
	if rival := version <= uint64(len(p.charters)); rival {
		if !p.model.roster.Rival(charter) {
			return fmt.Errorf("the second charter %d is not valid", version)
		}
		return p.f.Give(by, papers)
	}
	if err := p.publishPapers(by, papers); err != nil {
		return err
	}
	p.charters = append(p.charters, charter)
	if with {
		return p.f.Give(of, papers)
	}
	return nil
}

// expectMember is about who is in.
func expectMember(want bool) func(*args, protocol.MemberID) act {
	return func(a *args, m protocol.MemberID) act {
		of := a.member()
		return a.expecting(func(p *play) error {
			is := false
			for _, s := range p.f.Node(m).Members() {
				is = is || s.ID == of
			}
			if is != want {
				return fmt.Errorf("%s takes %s for a member: %v", m, of, is)
			}
			return nil
		})
	}
}

// expectWarning is of what health says beside faults.
func expectWarning(a *args, m protocol.MemberID) act {
	words := a.word("words")
	return a.expecting(func(p *play) error {
		all := p.f.Node(m).Health().Warnings
		for _, w := range all {
			if bytes.Contains([]byte(w), []byte(words)) {
				return nil
			}
		}
		return fmt.Errorf("%s warns: %q", m, all)
	})
}

// expectErased looks for text in the raw files of a node's folder, and in a new backup of it.
func expectText(want bool) func(*args, protocol.MemberID) act {
	return func(a *args, m protocol.MemberID) act {
		words := a.word("words")
		return a.expecting(func(p *play) error {
			dir := p.f.dirs[m]
			if dir == "" {
				return unfit{fmt.Sprintf("%s is not on disk", m)}
			}
			found, err := inFiles(dir, words)
			if err != nil {
				return err
			}
			if !want {
				more, err := p.inBackup(m, words)
				if err != nil {
					return err
				}
				found = append(found, more...)
			}
			if (len(found) > 0) != want {
				return fmt.Errorf("%q stands in %q", words, found)
			}
			return nil
		})
	}
}

func inFiles(dir, words string) (found []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil && !os.IsNotExist(err) { // a compaction was faster
			return nil, err
		}
		if bytes.Contains(b, []byte(words)) {
			found = append(found, e.Name())
		}
	}
	return found, err
}

// inBackup takes a backup of a copy of the folder as it is now, and reads what it holds.
func (p *play) inBackup(m protocol.MemberID, words string) (found []string, err error) {
	s, err := store.Open(store.Config{Dir: p.f.Backup(m), MinFree: 1, Memtable: 8 << 20})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var b bytes.Buffer
	if _, err := s.Backup(context.Background(), &b, store.BackupHeader{Member: p.f.member(m), Federation: p.model.roster.Federation(), Created: time.Now().UTC()}); err != nil {
		return nil, err
	}
	r, err := store.OpenBackup(&b)
	if err != nil {
		return nil, err
	}
	n, err := r.Each(func(key, value []byte) error {
		if bytes.Contains(key, []byte(words)) || bytes.Contains(value, []byte(words)) {
			found = append(found, "a new backup, under "+strconv.Quote(string(key)))
		}
		return nil
	})
	if err == nil && n.Entries == 0 {
		err = errors.New("the backup is empty")
	}
	return found, err
}
