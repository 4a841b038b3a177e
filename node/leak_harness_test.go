package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/node/record"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

const leakPatience = 20 * time.Second

// recordStream is the one stream by which something may travel that is not public.
const recordStream = "/tmh/record/1"

// region is a federation of three members whose nodes are listened to.
type region struct {
	*vault
	t       *testing.T
	papers  *protocol.Papers
	seats   map[protocol.MemberID]founding.Seat
	nodes   map[protocol.MemberID]*node.Node
	stops   map[protocol.MemberID]func()
	people  map[string]access.SignedIn // by place
	ids     map[string]protocol.ListingID
	docs    map[string][]protocol.Document // by listing
	invited string                         // address of who is invited

	mu     sync.Mutex
	place  string // of who is being shown something; guarded by mu, like what follows
	heard  []heard
	logged bytes.Buffer
}

// heard is what a node received.
type heard struct {
	where string // member and protocol or topic, to tell people
	place string
	b     []byte
}

func newRegion(t *testing.T) *region {
	r := &region{
		vault: &vault{t: t, rules: rules(t)}, t: t, seats: map[protocol.MemberID]founding.Seat{}, nodes: map[protocol.MemberID]*node.Node{},
		stops: map[protocol.MemberID]func(){}, people: map[string]access.SignedIn{}, ids: map[string]protocol.ListingID{}, docs: map[string][]protocol.Document{},
	}
	var seats []founding.Seat
	for _, m := range founding.ASEAN() {
		if m.ID != "KH" && m.ID != "LA" && m.ID != "VN" {
			continue
		}
		s, err := founding.NewSeat(m, "")
		r.ok(err)
		s.Addresses = []string{freeAddress(t)}
		r.seats[m.ID] = s
		seats = append(seats, s)
		r.add(&secret{name: "transport key of " + string(m.ID), class: "never"}, s.Transport.Seed())
	}
	var err error
	r.papers, err = founding.Found("Test federation", seats, time.Now())
	r.ok(err)
	for id := range r.seats {
		r.start(id)
	}
	r.await("all are connected", func() bool {
		for _, n := range r.nodes {
			if len(n.Net().Connected()) < 2 {
				return false
			}
		}
		return true
	})
	r.populate()
	return r
}

func (r *region) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *region) await(what string, ok func() bool) {
	r.t.Helper()
	tick, late := time.NewTicker(10*time.Millisecond), time.After(leakPatience)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (r *region) start(m protocol.MemberID) {
	r.t.Helper()
	s := r.seats[m]
	n, err := node.New(node.Config{
		Member: m, Record: s.Record, Transport: s.Transport, Papers: r.papers, Listen: s.Addresses, HTTP: "127.0.0.1:0",
		Store: store.Config{Memtable: 8 << 20}, Log: slog.New(slog.NewTextHandler(logs{r}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		House: house.Config{Agency: house.Agency{Name: "Agency of " + string(m), Email: "desk@agency.example"}, Hashes: 1},
	})
	r.ok(err)
	n.Net().Tap(func(from protocol.MemberID, where string, b []byte) {
		r.mu.Lock()
		defer r.mu.Unlock()
		h := heard{where: fmt.Sprintf("%s from %s by %s", m, from, where), place: "peers", b: bytes.Clone(b)}
		switch {
		case where != recordStream:
		case m == "KH":
			h.place = "asked"
		default:
			h.place = r.place
		}
		r.heard = append(r.heard, h)
	})
	ctx, stop := context.WithCancel(context.WithoutCancel(r.t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	r.nodes[m] = n
	r.stops[m] = sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			r.t.Errorf("%s: %v", m, err)
		}
	})
	r.t.Cleanup(r.stops[m])
	select {
	case <-n.Ready():
	case <-time.After(leakPatience):
		r.t.Fatalf("%s is not ready", m)
	}
}

type logs struct{ *region }

func (l logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.logged.Write(b)
}

// as does something while the record stream is charged to a place.
func (r *region) as(place string, f func()) {
	set := func(p string) {
		r.mu.Lock()
		r.place = p
		r.mu.Unlock()
	}
	set(place)
	defer set("")
	f()
}

// silence forgets what was heard.
func (r *region) silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = nil
}

// overheard are all leaks in what was received so far.
func (r *region) overheard() (found []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.heard {
		if h.place == "" {
			found = append(found, h.where+": nobody asked")
			continue
		}
		for _, s := range r.leaks(h.place, h.b) {
			found = append(found, fmt.Sprintf("%s, for %s: %s", h.where, h.place, s))
		}
	}
	return found
}

// said is everything that reached a place by the network.
func (r *region) said(place string) (b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.heard {
		if h.place == place {
			b = append(append(b, h.b...), '\n')
		}
	}
	return b
}

var client = access.Client{Address: netip.MustParseAddr("192.0.2.7"), Agent: "Browser/1"}

// populate makes the people of the nodes.
func (r *region) populate() {
	ctx := r.t.Context()
	type desk struct{ name, kind, country, class string }
	type person struct {
		place, desk string
		role        access.Role
	}
	for m, of := range map[protocol.MemberID]struct {
		desks  []desk
		people []person
	}{
		"KH": {[]desk{{"owner", "university", "KH", "desk"}, {"rival", "university", "KH", ""}, {"other", "university", "KH", ""}}, []person{
			{"kh:editor", "owner", access.Editor}, {"kh:rival", "rival", access.Editor}, {"kh:outside", "other", access.Reader}, {"kh:reviewer", "agency", access.Reviewer}}},
		"LA": {[]desk{{"company", "sme", "LA", ""}, {"university", "university", "LA", ""}}, []person{
			{"la:audience", "company", access.Scout}, {"la:outside", "university", access.Reader},
			{"la:invited", "university", access.Reader}, {"la:analyst", "company", access.Analyst}}},
		"VN": {[]desk{{"company", "sme", "VN", ""}}, []person{{"vn:scout", "company", access.Scout}}},
	} {
		people, node := r.nodes[m].House().People, strings.ToLower(string(m))
		never := func(name string, v []byte) { r.add(&secret{name: name, class: "never"}, v) }
		own := func(place, name string) string {
			w := word()
			r.add(&secret{name: name + " of " + place, class: "person-" + node, owner: place}, []byte(w))
			return w
		}
		link, _, err := people.SetupLink(access.Operator(m))
		r.ok(err)
		never("setup link of "+node, []byte(link))
		admin := node + ":admin"
		password := word()
		never("password of "+admin, []byte(password))
		s, err := people.Setup(ctx, link, own(admin, "address")+"@example.org", access.NewAccount{Name: own(admin, "name"), Password: password},
			access.OrganisationFields{Name: "Agency of " + node, Type: "agency", Country: protocol.Country(m)}, client)
		r.ok(err)
		never("session of "+admin, []byte(s.Secret))
		r.people[admin] = s
		desks := map[string]access.OrganisationID{"agency": s.Actor.Organisation}
		for _, d := range of.desks {
			f := access.OrganisationFields{Name: d.name + " of " + node, Type: d.kind, Country: protocol.Country(d.country)}
			if d.class != "" {
				name, address := word(), word()
				r.add(&secret{name: "name at the desk", class: d.class}, []byte(name))
				r.add(&secret{name: "address of the desk", class: d.class}, []byte(address))
				f.Contact = access.Contact{Name: name, Email: address + "@example.org"}
			}
			o, err := people.CreateOrganisation(r.people[admin].Actor, f)
			r.ok(err)
			desks[d.name] = o.ID
		}
		for _, p := range of.people {
			link, _, err := people.Invite(r.people[admin].Actor, own(p.place, "address")+"@example.org", desks[p.desk], []access.Role{p.role}, "en")
			r.ok(err)
			never("invitation of "+p.place, []byte(link))
			in := access.NewAccount{Name: own(p.place, "name"), WithoutPassword: true}
			if p.place == "kh:editor" || p.place == "la:audience" {
				in = access.NewAccount{Name: in.Name, Password: word()}
				never("password of "+p.place, []byte(in.Password))
			}
			s, err := people.Accept(ctx, link, in, client)
			r.ok(err)
			never("session of "+p.place, []byte(s.Secret))
			r.people[p.place] = s
		}
		for _, place := range []string{"kh:editor", "la:audience"} {
			if s, ok := r.people[place]; ok && s.Actor.Member == m {
				token, _, err := people.CreateToken(s.Actor, s.Actor.User, "token", []access.Scope{access.ScopeRead}, time.Hour)
				r.ok(err)
				never("token of "+place, []byte(token))
			}
		}
		for i, hash := range regexp.MustCompile(`\$argon2id\$[^"]+`).FindAll(r.dump(m), -1) {
			r.add(&secret{name: fmt.Sprintf("hash %d of a password at %s", i, node), class: "kept-" + node}, hash[bytes.LastIndexByte(hash, '$')+1:])
			salt := hash[:bytes.LastIndexByte(hash, '$')]
			r.add(&secret{name: fmt.Sprintf("salt %d of a password at %s", i, node), class: "kept-" + node}, salt[bytes.LastIndexByte(salt, '$')+1:])
		}
		r.ok(r.nodes[m].House().Store.View(func(tx *store.Tx) error {
			b, err := tx.Row(store.TableSetting, "house/secret")
			if err == nil && b != nil {
				r.add(&secret{name: "secret of pseudonyms of " + node, class: "kept-" + node}, b)
			}
			return err
		}))
	}
}

// dump is every key and value that a node's store holds now.
func (r *region) dump(m protocol.MemberID) []byte {
	r.t.Helper()
	var b bytes.Buffer
	_, err := r.nodes[m].House().Store.Backup(r.t.Context(), &b, store.BackupHeader{Member: m})
	r.ok(err)
	for range 2 { // magic and header
		_, err := b.ReadBytes('\n')
		r.ok(err)
	}
	var packed bytes.Buffer
	for {
		var n uint32
		r.ok(binary.Read(&b, binary.BigEndian, &n))
		if n == 0 {
			break
		}
		_, err := io.CopyN(&packed, &b, int64(n))
		r.ok(err)
	}
	z, err := zstd.NewReader(&packed)
	r.ok(err)
	defer z.Close()
	all, err := io.ReadAll(z)
	r.ok(err)
	return all
}

func (r *region) postings() *posting.Postings { return r.nodes["KH"].House().Postings }

func (r *region) actor(place string) access.Actor { return r.people[place].Actor }

// file takes in a document that carries secrets: what its page shows, which is to be read, and its properties, which nobody is.
func (r *region) file(class, listing string) protocol.Document {
	r.t.Helper()
	hidden := word()
	r.add(&secret{name: "properties of the document of " + listing, class: "never"}, []byte(hidden))
	page := "BT /F1 24 Tf 72 700 Td (" + r.seed(class, listing, fileText) + ") Tj ET"
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Kids[4 0 R]>>",
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", "<</Type/Page/Parent 2 0 R/Contents 5 0 R>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(page), page), "<</Author(" + hidden + ")>>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.6\n")
	xref := "0000000000 65535 f \n"
	for i, o := range objects {
		xref += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n%strailer\n<</Size %d/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref, len(objects)+1, at)
	return r.accept(&b, class, listing, "pdf")
}

// picture takes in a picture that carries a secret beside its pixels.
func (r *region) picture(class, listing string) protocol.Document {
	r.t.Helper()
	hidden := word()
	r.add(&secret{name: "text in the picture of " + listing, class: "never"}, []byte(hidden))
	m := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range m.Pix {
		m.Pix[i] = byte(i)
	}
	var plain, b bytes.Buffer
	r.ok(png.Encode(&plain, m))
	b.Write(plain.Next(8 + 25)) // signature and header
	chunk := []byte("tEXtAuthor\x00" + hidden)
	_ = binary.Write(&b, binary.BigEndian, uint32(len(chunk)-4))
	b.Write(chunk)
	_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(chunk))
	b.Write(plain.Bytes())
	return r.accept(&b, class, listing, "png")
}

func (r *region) accept(b io.Reader, class, listing, kind string) protocol.Document {
	r.t.Helper()
	h, editor := r.nodes["KH"].House(), r.actor("kh:editor")
	clean, err := h.Documents.Accept(r.t.Context(), b, document.Declared{Name: "sheet." + kind}, document.DefaultLimits())
	r.ok(err)
	r.ok(h.KeepDocument(r.t.Context(), editor, &posting.Posting{Organisation: editor.Organisation}, clean))
	d := clean.Document.Entry()
	d.Name = r.seed(class, listing, "name of the document") + "." + kind
	return d
}

// mixed says of which sections of the listing "mixed" more than the public sees less.
func mixed() map[protocol.Section]protocol.Level {
	return map[protocol.Section]protocol.Level{
		protocol.SectionComparison: protocol.LevelRegistered, protocol.SectionTerms: protocol.LevelRegistered,
		protocol.SectionPeople: protocol.LevelRestricted, protocol.SectionContact: protocol.LevelRestricted, protocol.SectionRights: protocol.LevelRestricted,
	}
}

// content of a listing, with a secret in its summary and in every section. class overrides the level's.
func (r *region) content(listing string, level protocol.Level, sections map[protocol.Section]protocol.Level, class string) posting.Content {
	x := protocol.Record{Level: level, Sections: sections, Audience: protocol.Audience{Types: []string{"sme"}, Countries: []protocol.Country{"LA"}}}
	classOf := func(s protocol.Section) string {
		if class != "" {
			return class
		}
		return string(x.LevelOf(s))
	}
	in := func(s protocol.Section, what string) string {
		return r.seed(classOf(s), listing, what+" in "+string(s))
	}
	ofSummary := class
	if class == "" {
		if ofSummary = "summary"; level == protocol.LevelInvited {
			ofSummary = "invited"
		}
	}
	x.Texts = map[protocol.Lang]protocol.RecordText{"en": {Description: in("texts", "description"), Problem: in("texts", "problem"),
		Advantages: in("texts", "advantages"), Applications: []string{in("texts", "application")}}}
	x.Comparison = []protocol.Comparison{{Metric: "yield", Baseline: in("comparison", "baseline"), Ours: in("comparison", "ours"), Evidence: in("comparison", "evidence")}}
	x.Stage = in("stage", "stage")
	x.Rights = []protocol.Right{{Type: "patent-applied", Number: in("rights", "number")}}
	x.Terms = protocol.Terms{Price: in("terms", "price"), Field: in("terms", "field"), Territory: in("terms", "territory")}
	x.Partner = protocol.Partner{Role: in("partner", "role"), Task: in("partner", "task"), Area: in("partner", "area")}
	x.Organisation = protocol.Owner{Name: in("organisation", "name"), Certifications: []string{in("organisation", "certificate")}}
	x.People = []protocol.Person{{Name: in("people", "name"), Role: in("people", "role")}}
	x.Contact = protocol.Contact{Name: in("contact", "name"), Email: in("contact", "address") + "@example.org", URL: "https://example.org/" + in("contact", "page")}
	x.Funding = protocol.Funding{Call: in("funding", "call"), Budget: in("funding", "budget"), Eligible: in("funding", "eligible"),
		Partners: []protocol.FundedPartner{{Name: in("funding", "partner"), Country: "LA"}}}
	x.Publications = []string{"10.1000/" + in("publications", "doi")}
	x.Provenance = protocol.Provenance{System: in("provenance", "system"), ID: in("provenance", "id"), Licence: in("provenance", "licence")}
	x.Controls = protocol.Controls{Export: true}
	x.Documents = []protocol.Document{r.file(classOf(protocol.SectionDocuments), listing)}
	if sections != nil {
		d := r.file(string(protocol.LevelRestricted), listing)
		d.Level = protocol.LevelRestricted
		x.Documents = append(x.Documents, d, r.picture("public", listing))
	}
	r.docs[listing] = x.Documents
	return posting.Content{Record: x, Listing: protocol.Listing{
		Kind: protocol.TechnologyOffer, Country: "KH", TRL: 5, FORD: []string{"2.11"},
		Texts: map[protocol.Lang]protocol.Text{"en": {Title: "Dryer " + r.seed(ofSummary, listing, "title"), Abstract: r.seed(ofSummary, listing, "abstract")}},
	}}
}

// publish a listing, new or revised, by the editor and the reviewer.
func (r *region) publish(listing string, c posting.Content) {
	r.t.Helper()
	ctx, p, editor := r.t.Context(), r.postings(), r.actor("kh:editor")
	var x *posting.Posting
	var err error
	if id, ok := r.ids[listing]; ok {
		x, err = p.Get(editor, id)
		r.ok(err)
		x, err = p.Edit(ctx, editor, id, x.Version, c)
	} else {
		x, err = p.Create(editor, editor.Organisation, "", c)
	}
	r.ok(err)
	r.ids[listing] = x.ID
	x, _, err = p.Submit(ctx, editor, x.ID, x.Version)
	r.ok(err)
	if x.Draft == posting.Submitted {
		x = r.judge(x, posting.Scores{Advantages: 4, Clarity: 4, Cooperation: 3, Guidelines: 4})
	}
	if x.Live != posting.Published || x.Draft != posting.None {
		r.t.Fatalf("%s is %s with the draft %s", listing, x.Live, x.Draft)
	}
	r.salts(listing)
}

func (r *region) judge(x *posting.Posting, s posting.Scores) *posting.Posting {
	r.t.Helper()
	x, err := r.postings().Take(r.t.Context(), r.actor("kh:reviewer"), x.ID, x.Version)
	r.ok(err)
	comment := word()
	r.add(&secret{name: "comment of the reviewer", class: "draft"}, []byte(comment))
	x, err = r.postings().Judge(r.t.Context(), r.actor("kh:reviewer"), x.ID, x.Version, s, comment)
	r.ok(err)
	return x
}

// salts of a listing's parts are secrets like what the parts say.
func (r *region) salts(listing string) {
	r.t.Helper()
	r.ok(r.nodes["KH"].House().Store.View(func(tx *store.Tx) error {
		b, err := tx.Full(r.ids[listing].Key())
		if err != nil {
			return err
		}
		_, parts, err := protocol.DecodeRecord(b)
		for _, p := range parts {
			r.add(&secret{name: fmt.Sprintf("salt of level %s of %s", p.Level, listing), class: string(p.Level), listing: listing}, p.Salt[:])
		}
		return err
	}))
}

func (r *region) entry(m protocol.MemberID, listing string) (exchange.Entry, error) {
	return r.nodes[m].Desk().Entry(match.Ref{Origin: "KH", ID: r.ids[listing]})
}

// caughtUp waits until all hold what KH says of the listings, and lets copies be dropped that are no longer named.
func (r *region) caughtUp(listings ...string) {
	r.t.Helper()
	for _, l := range listings {
		want, err := r.entry("KH", l)
		r.ok(err)
		ref := record.Ref{Origin: "KH", ID: r.ids[l]}
		for _, m := range []protocol.MemberID{"LA", "VN"} {
			r.await(fmt.Sprintf("%s has %s", m, l), func() bool {
				got, err := r.entry(m, l)
				return err == nil && got.Header == want.Header
			})
			r.ok(r.nodes[m].House().Records.Purge(ref))
		}
	}
}

// nodeOf a place.
func nodeOf(place string) protocol.MemberID {
	return protocol.MemberID(strings.ToUpper(place[:2]))
}

// show is what a reader is shown of a listing by his node: summary, record and documents.
func (r *region) show(place, listing string) (b []byte, err error) {
	r.t.Helper()
	ctx, records, ref := r.t.Context(), r.nodes[nodeOf(place)].House().Records, record.Ref{Origin: "KH", ID: r.ids[listing]}
	patiently := func(f func() error) (err error) {
		r.await("KH answers "+place, func() bool { err = f(); return protocol.CodeOf(err) != protocol.CodeUnavailable })
		return err
	}
	r.as(place, func() {
		var x *record.Shown
		if err = patiently(func() (err error) { x, err = records.Get(ctx, ref, r.actor(place)); return err }); err == nil {
			b, _ = json.Marshal([]any{x.Listing, x.Record})
		}
		for _, d := range r.docs[listing] { // whether he knows of it or not
			var f *record.OpenDocument
			if patiently(func() (err error) { f, err = records.Document(ctx, ref, d.Hash, r.actor(place)); return err }) != nil {
				continue
			}
			raw, rerr := io.ReadAll(f)
			r.ok(errors.Join(rerr, f.Close()))
			b = append(append(b, '\n'), raw...)
		}
	})
	return b, err
}

// forge asks KH as VN's node could, without VN's own rules: for a reader of these attributes, at a level of its choice. What comes
// is charged to a place which may see as much as that reader.
func (r *region) forge(place string, key protocol.RecordKey, e protocol.Entitlement, document protocol.Hash) {
	r.t.Helper()
	net := r.nodes["VN"].Net()
	e.Federation, e.Member, e.CharterVersion, e.Origin, e.RecordKey, e.IssuedAt = r.papers.Charters[0].FederationID(), "VN", 1, "KH", key, protocol.InstantOf(time.Now())
	_, _ = rand.Read(e.Nonce[:])
	if e.Level != protocol.LevelPublic {
		e.Reader = protocol.Sum([]byte(place))
	}
	s, err := protocol.SignEntitlement(r.seats["VN"].Record, e)
	r.ok(err)
	r.as(place, func() {
		var refused *protocol.Error
		if document != (protocol.Hash{}) {
			refused, err = net.FetchDocument(r.t.Context(), "KH", s, document, 1<<20, func([]byte) error { return nil })
		} else {
			var a *protocol.RecordAnswer
			if a, err = net.FetchParts(r.t.Context(), "KH", s); err == nil {
				refused = a.Refused
			}
		}
		r.ok(err)
		if refused != nil && refused.Code == protocol.CodeUnavailable { // and so not judged
			r.t.Fatal(refused)
		}
	})
}
