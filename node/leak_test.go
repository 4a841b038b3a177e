package node_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/p2p"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// readers are the places where somebody is shown something; the others are of the network, logs and stores.
func (r *region) readers(nodes ...string) (places []string) {
	for _, p := range slices.Sorted(maps.Keys(r.rules["summary"])) {
		if node, who, ok := strings.Cut(p, ":"); ok && who != "store" && (len(nodes) == 0 || slices.Contains(nodes, node)) {
			places = append(places, p)
		}
	}
	return places
}

// examine reports everything that is where it should not be.
func (r *region) examine(when string) {
	r.t.Helper()
	for _, s := range r.overheard() {
		r.t.Errorf("%s: %s", when, s)
	}
	r.mu.Lock()
	logged := slices.Clone(r.logged.Bytes())
	r.mu.Unlock()
	for _, s := range r.leaks("log", logged) {
		r.t.Errorf("%s: a log has %s", when, s)
	}
	for _, m := range []protocol.MemberID{"KH", "LA", "VN"} {
		r.ok(r.nodes[m].House().Store.View(func(tx *store.Tx) error {
			return tx.Rows(store.TableAudit, "", "", func(key string, value []byte) (bool, error) {
				for _, s := range r.leaks("log", value) {
					r.t.Errorf("%s: entry %s of the audit log of %s has %s", when, key, m, s)
				}
				return true, nil
			})
		}))
		for _, s := range r.leaks(strings.ToLower(string(m))+":store", r.dump(m)) {
			r.t.Errorf("%s: the store of %s has %s", when, m, s)
		}
	}
}

// readAll lets every reader read the listings, all unless told otherwise, and compares with the table what he is shown: no more, and no less.
func (r *region) readAll(when string, listings ...string) {
	r.t.Helper()
	if len(listings) == 0 {
		listings = slices.Sorted(maps.Keys(r.ids))
	}
	for _, place := range r.readers() {
		for _, listing := range listings {
			b, err := r.show(place, listing)
			for _, s := range r.leaks(place, b) {
				r.t.Errorf("%s: %s is shown %s", when, place, s)
			}
			if nodeOf(place) == "KH" {
				b = append(b, r.desk(place, listing)...)
				for _, s := range r.leaks(place, b) {
					r.t.Errorf("%s: %s finds %s among the postings", when, place, s)
				}
			}
			if e, eerr := r.entry(nodeOf(place), listing); eerr == nil && e.Listing != nil {
				b = append(b, e.Listing.Encode()...)
			}
			if lacks := r.missing(place, listing, b); len(lacks) > 0 {
				r.t.Errorf("%s: %s is not shown %s of %s: %v", when, place, strings.Join(lacks, ", "), listing, err)
			}
		}
	}
}

// desk is what somebody finds of a listing among the postings of KH.
func (r *region) desk(place, listing string) []byte {
	p, a, id := r.postings(), r.actor(place), r.ids[listing]
	x, c, err := p.Content(a, id)
	reviews, rerr := p.Reviews(a, id)
	y, live, lerr := p.LiveContent(a, id)
	page, qerr := p.List(a, posting.Filter{}, "", 100)
	return asJSON(x, c, reviews, y, live, page, fmt.Sprint(err, rerr, lerr, qerr))
}

// forgeAll asks as VN's node could if it cared for no rule of its own, for what no reader of these attributes may see.
func (r *region) forgeAll() {
	r.t.Helper()
	for _, listing := range slices.Sorted(maps.Keys(r.ids)) {
		key := r.ids[listing].Key()
		for _, level := range protocol.Levels() {
			e, place := protocol.Entitlement{}, "la:stranger"
			if level.Covers(protocol.LevelRegistered) {
				place = "vn:scout"
			}
			if level.Covers(protocol.LevelRestricted) { // one of the audience's types, and not of its countries
				e = protocol.Entitlement{Organisation: protocol.Sum([]byte("o")), OrganisationType: "sme", Country: "VN"}
			}
			if level == protocol.LevelInvited { // who is invited at LA is not at VN
				e.ReaderInvitee = protocol.Invitee("KH", key, "LA", r.invited)
				e.OrganisationInvitee = protocol.Invitee("KH", key, "VN", "o")
			}
			e.Level = level
			r.forge(place, key, e, protocol.Hash{})
			if level == protocol.LevelPublic || level == protocol.LevelInvited {
				for _, d := range r.docs[listing] { // by hashes that nobody told VN
					r.forge(place, key, e, d.Hash)
				}
			}
		}
	}
}

// browse walks the pages of a node, and every address of its API that is read from, as a reader. It returns what came.
func (r *region) browse(when, place string) (all [][]byte) {
	r.t.Helper()
	n := r.nodes[nodeOf(place)]
	transport := new(http.Transport) // which follows nothing
	defer transport.CloseIdleConnections()
	get := func(path string) (string, []byte) {
		ctx, cancel := context.WithTimeout(r.t.Context(), leakPatience)
		defer cancel()
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.HTTPAddr()+path, nil)
		r.ok(err)
		q.Header.Set("User-Agent", "Browser/1")
		if s := r.people[place].Secret; s != "" {
			q.AddCookie(&http.Cookie{Name: "tmh", Value: s})
		}
		a, err := transport.RoundTrip(q)
		r.ok(err)
		b, err := io.ReadAll(io.LimitReader(a.Body, 4<<20))
		r.ok(err)
		_ = a.Body.Close()
		for name, values := range a.Header {
			b = append(b, "\n"+name+": "+strings.Join(values, ", ")...)
		}
		all = append(all, b)
		for _, s := range r.leaks(place, b) {
			r.t.Errorf("%s: %s is sent %s by %s", when, place, s, path)
		}
		return a.Header.Get("Content-Type"), b
	}
	r.as(place, func() {
		_, spec := get("/api/v1/openapi.json")
		todo := []string{"/"}
		for _, path := range regexp.MustCompile(`"(/[^"]+)":\{[^{}]*"get":`).FindAllSubmatch(spec, -1) {
			todo = append(todo, r.fill(string(path[1]))...)
		}
		for _, id := range r.ids {
			todo = append(todo, "/listings/KH/"+string(id), "/postings/"+string(id), "/postings/"+string(id)+"/edit", "/api/v1/listings/KH/"+string(id)+"/full")
		}
		const most = 400
		href := regexp.MustCompile(`(?:href|src)="(/[^"#]*)`)
		for seen := map[string]bool{}; len(todo) > 0 && len(seen) < most; todo = todo[1:] {
			path := strings.ReplaceAll(todo[0], "&amp;", "&")
			if seen[path] {
				continue
			}
			seen[path] = true
			if kind, b := get(path); strings.HasPrefix(kind, "text/html") {
				for _, m := range href.FindAllSubmatch(b, -1) {
					todo = append(todo, string(m[1]))
				}
			}
		}
	})
	return all
}

// fill puts what there is into the places of an API path.
func (r *region) fill(path string) (all []string) {
	path = strings.NewReplacer("{origin}", "KH", "{member}", "KH").Replace(path)
	if !strings.Contains(path, "{") {
		return []string{path}
	}
	place := regexp.MustCompile(`\{[^}]*\}`)
	if regexp.MustCompile("people|organisations|tokens|members").MatchString(path) {
		for _, m := range []string{"KH", "LA"} {
			all = append(all, place.ReplaceAllString(path, m))
		}
		for _, s := range r.people {
			all = append(all, place.ReplaceAllString(path, string(s.Actor.User)), place.ReplaceAllString(path, string(s.Actor.Organisation)))
		}
		return all
	}
	for listing, id := range r.ids {
		p := strings.Replace(path, place.FindString(path), string(id), 1)
		if !strings.Contains(p, "{") {
			all = append(all, p)
			continue
		}
		for _, d := range r.docs[listing] {
			all = append(all, place.ReplaceAllString(p, d.Hash.String()))
		}
	}
	return all
}

func (r *region) browseAll(when string) {
	r.t.Helper()
	pages, size := 0, 0
	for _, place := range r.readers("kh", "la") {
		all := r.browse(when, place)
		for _, b := range all {
			pages, size = pages+1, size+len(b)
		}
		for listing := range r.ids {
			if lacks := r.missing(place, listing, all...); len(lacks) > 0 {
				r.t.Errorf("%s: %s finds no page or answer with %s of %s", when, place, strings.Join(lacks, ", "), listing)
			}
		}
	}
	r.t.Logf("%s: %d answers over HTTP, %d KiB, examined", when, pages, size>>10)
}

// Nothing confidential leaves: what a peer receives by gossip, by sync, by the record stream and over HTTP, after decryption and
// decompression, holds no secret beyond what its reader is entitled to. So it is before, during and after a listing's time in the
// catalogue. And where something leaks, this test finds it.
func TestNothingConfidentialLeaves(t *testing.T) {
	if testing.Short() {
		t.Skip("runs three whole nodes")
	}
	r := newRegion(t)
	p, ctx, editor := r.postings(), t.Context(), r.actor("kh:editor")
	levels := map[string]protocol.Level{"for-all": "public", "for-registered": "registered", "for-restricted": "restricted", "for-invited": "invited"}
	everything := func() {
		for _, listing := range slices.Sorted(maps.Keys(levels)) {
			r.publish(listing, r.content(listing, levels[listing], nil, ""))
		}
		r.publish("mixed", r.content("mixed", protocol.LevelPublic, mixed(), ""))
	}
	x, err := p.Create(editor, editor.Organisation, "", r.content("rejected", protocol.LevelPublic, nil, "draft"))
	r.ok(err)
	r.ids["rejected"] = x.ID
	r.reject(x)
	everything()
	x, err = p.Create(editor, editor.Organisation, "", r.content("draft", protocol.LevelPublic, nil, "draft"))
	r.ok(err)
	r.ids["draft"] = x.ID
	r.invite("for-invited")
	inCatalogue := []string{"for-all", "for-registered", "for-restricted", "mixed"}
	whole := append(slices.Clone(inCatalogue), "for-invited")
	r.caughtUp(inCatalogue...)

	for _, m := range []string{"LA", "VN"} { // else there is nothing to be examined
		if lacks := r.missing("peers", "mixed", r.said("peers")); len(lacks) > 0 {
			t.Errorf("%s and the others did not receive %v", m, lacks)
		}
	}
	r.readAll("published")
	for _, place := range []string{"la:audience", "la:invited", "vn:scout"} {
		if len(r.said(place)) == 0 {
			t.Errorf("nothing was heard on the record stream for %s", place)
		}
	}
	r.forgeAll()
	r.browseAll("published")
	r.examine("published")

	r.silence()
	for _, l := range whole {
		r.retire(l, "gone", "gone")
	}
	everything()
	r.caughtUp(inCatalogue...)
	r.readAll("revised", "mixed", "for-restricted", "for-invited")
	r.examine("revised")

	x, err = p.Get(editor, r.ids["for-restricted"])
	r.ok(err)
	note := word()
	r.add(&secret{name: "note of the hold", class: "draft"}, []byte(note))
	_, err = p.Hold(ctx, editor, x.ID, x.Version, note)
	r.ok(err)
	r.retire("for-restricted", "held", "held")
	r.caughtUp(inCatalogue...)
	r.silence()
	r.readAll("on hold", "for-restricted")
	r.examine("on hold")

	for _, l := range whole {
		x, err := p.Get(editor, r.ids[l])
		r.ok(err)
		note := word()
		r.add(&secret{name: "note of the withdrawal", class: "draft"}, []byte(note))
		_, err = p.Withdraw(ctx, editor, x.ID, x.Version, "no-longer-available", note)
		r.ok(err)
		r.retire(l, "gone", "gone-title")
	}
	r.caughtUp(inCatalogue...)
	r.silence()
	r.readAll("withdrawn")
	r.forgeAll()
	r.browseAll("withdrawn")
	r.examine("withdrawn")
	if !t.Failed() {
		r.plant()
	}
}

func (r *region) reject(x *posting.Posting) {
	r.t.Helper()
	x, _, err := r.postings().Submit(r.t.Context(), r.actor("kh:editor"), x.ID, x.Version)
	r.ok(err)
	if x.Draft != posting.Submitted {
		r.t.Fatalf("the first listing of an organisation is not reviewed: %s", x.Draft)
	}
	r.judge(x, posting.Scores{Advantages: 4, Clarity: 0, Cooperation: 3, Guidelines: 3})
}

// invite one person at LA to a listing, and another until a moment ago.
func (r *region) invite(listing string) {
	r.t.Helper()
	h := r.nodes["KH"].House()
	la := r.nodes["LA"].House()
	r.ok(la.Store.View(func(tx *store.Tx) error {
		u, err := la.People.LookupUser(tx, r.actor("la:invited").User)
		if err == nil {
			r.invited = u.Email
		}
		return err
	}))
	r.ok(h.Store.Update(func(tx *store.Tx) error {
		_, err := h.Library.Grants().Create(tx, r.actor("kh:editor"), r.ids[listing],
			record.Invitation{Member: "LA", Email: r.invited, Expires: protocol.InstantOf(time.Now().Add(time.Hour))})
		return err
	}))
}

// plant leaks, and see that each is found.
func (r *region) plant() {
	t, kh, la := r.t, r.nodes["KH"], r.nodes["LA"]
	r.publish("planted", r.content("planted", protocol.LevelPublic, mixed(), ""))
	r.caughtUp("planted")
	if found := r.overheard(); len(found) > 0 {
		t.Fatalf("before anything is planted: %v", found)
	}
	find := func(where string, found []string, what string) {
		t.Helper()
		if !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, what) }) {
			t.Errorf("%s: the leak of %q is not found; found %v", where, what, found)
		}
	}

	text := r.seed("registered", "planted", "registered text in a summary")
	_, err := kh.Desk().Publish(t.Context(), &protocol.Listing{ID: "careless", Kind: protocol.TechnologyOffer, Country: "KH",
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Careless", Abstract: "Price: " + text}}})
	r.ok(err)
	r.ids["careless"] = "careless"
	r.caughtUp("careless")
	find("summary", r.overheard(), "registered text in a summary")
	page, err := http.Get("http://" + la.HTTPAddr() + "/api/v1/listings/KH/careless") //nolint:noctx // on loopback
	r.ok(err)
	body, err := io.ReadAll(page.Body)
	r.ok(errors.Join(err, page.Body.Close()))
	find("HTTP", r.leaks("la:stranger", body), "registered text in a summary")

	r.silence()
	kept := r.seed("invited", "planted", "invited text that a copy kept")
	r.ok(la.House().Store.Update(func(tx *store.Tx) error {
		return tx.SetRow(store.TableCopy, "c/XX/planted/invited", []byte("…"+kept+"…"))
	}))
	find("store", r.leaks("la:store", r.dump("LA")), "invited text that a copy kept")

	// A library that shows every part to everybody, in the place of KH's.
	var parts [][]byte
	r.ok(kh.House().Store.View(func(tx *store.Tx) error {
		b, err := tx.Full(r.ids["planted"].Key())
		if err != nil {
			return err
		}
		_, all, err := protocol.DecodeRecord(b)
		for _, p := range all {
			parts = append(parts, p.Bytes())
		}
		return err
	}))
	r.stops["KH"]()
	r.await("LA misses KH", func() bool { return !slices.Contains(la.Net().Connected(), "KH") })
	roster := protocol.NewRoster(r.papers.Charters[0])
	for _, c := range r.papers.Cards {
		roster, err = roster.WithCard(c)
		r.ok(err)
	}
	seat := r.seats["KH"]
	net, err := p2p.New(p2p.Config{Member: "KH", Key: seat.Transport, Listen: seat.Addresses, Roster: roster})
	r.ok(err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- net.Run(ctx, careless{parts}) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	r.await("LA is connected with the careless KH", func() bool { return slices.Contains(la.Net().Connected(), "KH") })
	ref := record.Ref{Origin: "KH", ID: r.ids["planted"]}
	r.as("la:stranger", func() { _, err = la.House().Records.Get(t.Context(), ref, access.Actor{}) })
	find("record stream", r.overheard(), "price in terms (registered)")
	r.silence()
	var shown *record.Shown
	r.as("la:outside", func() { shown, err = la.House().Records.Get(t.Context(), ref, r.actor("la:outside")) })
	r.ok(err)
	if found := r.leaks("la:outside", asJSON(shown.Listing, shown.Record)); len(found) > 0 {
		t.Errorf("what a careless origin sent is shown on to who may not see it: %v", found)
	}
	find("record stream", r.overheard(), "name in people (restricted)")
}

// careless is a handler whose library serves parts below their level.
type careless struct{ parts [][]byte }

func (careless) Changes(protocol.MemberID, []*protocol.Change) {}
func (careless) Head(protocol.MemberID, *protocol.SignedHead)  {}
func (careless) Evidence(protocol.MemberID, protocol.Evidence) {}
func (careless) Connected(protocol.MemberID)                   {}
func (careless) Disconnected(protocol.MemberID)                {}
func (careless) Papers(uint64) *protocol.Papers                { return new(protocol.Papers) }
func (careless) Answer(context.Context, protocol.MemberID, *protocol.Request, func(*protocol.Answer) error) error {
	return protocol.Errorf(protocol.CodeUnavailable, "", "nothing of that here")
}
func (c careless) Parts(context.Context, protocol.MemberID, *protocol.SignedEntitlement) (*protocol.RecordAnswer, error) {
	return &protocol.RecordAnswer{Parts: c.parts}, nil
}
func (careless) Document(context.Context, protocol.MemberID, *protocol.SignedEntitlement, protocol.Hash) (io.ReadCloser, error) {
	return nil, protocol.Errorf(protocol.CodeNotFound, "", "no document")
}
