package oai

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/oai/harvest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
	"github.com/asean-tmh/tmh/store"
)

// harvester keeps what the provider told it, as a portal does: all at first, then what is new since the response before.
type harvester struct {
	set   string
	from  string            // responseDate of the first page of the list before
	first string            // of the list that is under way
	token string            // of the next page
	holds map[string]string // identifier → title; "" deleted
}

// page asks for one page, and reports whether the list ended.
func (h *harvester) page(s *site) bool {
	s.t.Helper()
	args := []string{"verb", "ListRecords", "resumptionToken", h.token}
	if h.token == "" {
		args = []string{"verb", "ListRecords", "metadataPrefix", "oai_dc"}
		if h.from != "" {
			args = append(args, "from", h.from)
		}
		if h.set != "" {
			args = append(args, "set", h.set)
		}
	}
	got := s.ask(args...)
	if h.token == "" {
		h.first = got.Date
	}
	h.token = ""
	if code := got.codes(); code != "" && (code != "noRecordsMatch" || args[2] == "resumptionToken") {
		s.t.Fatalf("%q: %s", args, code)
	}
	for _, r := range got.Records {
		if r.Head.Status == "deleted" {
			h.holds[r.Head.ID] = ""
		} else {
			h.holds[r.Head.ID] = r.Titles[0]
		}
	}
	if got.RecToken != nil {
		h.token = got.RecToken.Token
	}
	if h.token == "" {
		h.from = h.first
	}
	return h.token == ""
}

// source is where an origin signs: its own machine, apart from the node that is harvested.
type source struct {
	*replicatest.Node
	path    []*protocol.Change // that led to what it holds
	ids     []string           // published
	machine int
}

// world is a node, the origins whose catalogues it holds, and the ways on which changes reach it.
type world struct {
	*site
	rnd     *rand.Rand
	away    *store.Store // holds the sources
	sources []*source
	writes  int
	did     map[string]int
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sign(o *source, kind protocol.ChangeKind, key protocol.RecordKey, floor uint64, body []byte) {
	w.t.Helper()
	w.must(o.Step(func(c *replica.Copy, set replicatest.Set) error {
		d := w.fed.Draft(kind, key)
		d.Floor = floor
		ch, err := c.Author(set, replicatest.RecordSigner(o.Origin), d, body)
		o.path = append(o.path, ch)
		return err
	}))
	w.writes++
}

// publish, revise, withdraw, hold, spoil or forget something at an origin.
func (w *world) write(o *source) {
	w.t.Helper()
	id := fmt.Sprintf("%c%03d", "AR"[len(o.ids)%2], len(o.ids))
	if w.rnd.IntN(3) > 0 && len(o.ids) > 0 {
		id = o.ids[w.rnd.IntN(len(o.ids))]
	} else {
		o.ids = append(o.ids, id)
	}
	key := protocol.ListingID(id).Key()
	live := false
	w.must(o.Store.View(func(set replicatest.Set) error {
		e, ok, err := set.Newest(key)
		live = ok && e.Kind == protocol.Put
		return err
	}))
	c, err := o.Copy()
	w.must(err)
	switch n := w.rnd.IntN(12); {
	case n < 4 && live:
		w.sign(o, protocol.Withdraw, key, 0, protocol.Tombstone{Reason: protocol.OnHold, At: start}.Encode())
		w.did["withdrawn"]++
	case n < 5:
		w.sign(o, protocol.Put, key, 0, []byte("no listing"))
	case n < 7 && c.Proven.Seq > c.Floor:
		w.sign(o, protocol.Put, replicatest.ReportKey(0), c.Floor+1+w.rnd.Uint64N(c.Proven.Seq-c.Floor), fmt.Append(nil, w.writes))
		w.did["floors"]++
	default:
		w.sign(o, protocol.Put, key, 0, listing(id, fmt.Sprintf("%s %s, text %d", o.Origin, id, w.writes)).Encode())
	}
}

// gossip brings the changes that follow what is held.
func (w *world) gossip(o *source, most int) {
	w.t.Helper()
	n := w.node(o.Origin)
	for _, ch := range o.path {
		if c := w.proven(o.Origin); most > 0 && ch.Pos.Compare(c.Proven) > 0 {
			if err := n.Next(ch); err != nil {
				w.pull(o, n, 1+w.rnd.IntN(9), false)
				return
			}
			most--
		}
	}
}

// pull draws what is missing, some changes at a time; whole: until it is proven. Where that does not lead on, all is drawn
// anew beside what is held, and takes its place.
func (w *world) pull(o *source, to *replicatest.Node, most int, whole bool) {
	w.t.Helper()
	for {
		c, err := to.Copy()
		w.must(err)
		b, err := o.Serve(c.Ask(), most)
		if err == nil {
			err = to.Draw(b)
		}
		if err != nil {
			w.swap(o)
			return
		}
		if b.Last || !whole {
			return
		}
	}
}

// swap draws a copy anew and puts it in the place of the one held.
func (w *world) swap(o *source) {
	w.t.Helper()
	if len(o.path) == 0 {
		return
	}
	place := shelf{w.store, o.Origin, true}
	w.wipe(o.Origin)
	w.must(place.Update(func(set replicatest.Set) error { return set.SetFrontier(replica.New(o.Origin).Encode()) }))
	staged := &replicatest.Node{Store: place, Origin: o.Origin}
	for {
		c, err := staged.Copy()
		w.must(err)
		b, err := o.Serve(c.Ask(), 7)
		w.must(err)
		w.must(staged.Draw(b))
		if b.Last {
			break
		}
		w.between()
	}
	w.must(w.store.Swap(o.Origin, store.Swapping{
		Ready: func(_, _ *store.Origin) error { return nil },
		Fate:  func(*store.Origin, *protocol.SignedHeader) store.Fate { return store.Moot },
		Each:  func(store.Replacement) {},
	}))
	w.did["swaps"]++
	w.between()
	w.wipe(o.Origin)
}

func (w *world) wipe(origin protocol.MemberID) {
	w.t.Helper()
	for done := false; !done; {
		w.must(w.store.Update(func(tx *store.Tx) (err error) {
			done, err = tx.Staged(origin).Wipe(100)
			return err
		}))
	}
}

// restore takes an origin back to an earlier state, where it opens an epoch: what it had signed since is void.
func (w *world) restore(o *source) {
	w.t.Helper()
	if len(o.path) < 3 {
		return
	}
	keep := len(o.path) - 1 - w.rnd.IntN(min(len(o.path)-1, 9))
	void := o.path[keep:]
	o.machine++
	o.Node = w.machine(o.Origin, o.machine)
	o.path = slices.Clone(o.path[:keep])
	for _, ch := range o.path {
		w.must(o.Next(ch))
	}
	c, err := o.Copy()
	w.must(err)
	h, body, err := w.fed.Open(c, "loss", void[len(void)-1].Pos, void)
	w.must(err)
	w.must(o.Step(func(c *replica.Copy, set replicatest.Set) error {
		ch, err := c.Author(set, replicatest.RecordSigner(o.Origin), h, body)
		o.path = append(o.path, ch)
		return err
	}))
	w.did["epochs"]++
}

func (w *world) machine(origin protocol.MemberID, n int) *replicatest.Node {
	return &replicatest.Node{Store: shelf{w.away, protocol.MemberID(fmt.Sprintf("%s%d", origin, n)), false}, Origin: origin}
}

// between is what may happen at any moment: time passes, the chronicle is brought in line, the provider starts again.
func (w *world) between() {
	w.t.Helper()
	switch w.rnd.IntN(12) {
	case 0, 1, 2:
		w.clock += w.rnd.Int64N(3)
	case 3:
		w.clock -= w.rnd.Int64N(20)
	case 4, 5, 6, 7:
		w.catchUp()
	case 8:
		w.restart()
		w.did["restarts"]++
	}
}

// want is what a harvester of a set should hold in the end.
func (w *world) want(set string) map[string]string {
	w.t.Helper()
	all := make(map[string]string)
	w.must(w.store.View(func(tx *store.Tx) error {
		for _, o := range w.sources {
			if err := tx.Records(o.Origin, "", func(ch *protocol.Change) (bool, error) {
				l, _, err := exchange.Open(ch)
				if err == nil && l != nil && (set == "" || set == "origin:"+string(ch.Origin) || set == "kind:"+string(l.Kind)) {
					all["oai:tmh.example.org:"+string(ch.Origin)+"/"+string(l.ID)] = l.Texts["en"].Title
				}
				return true, nil
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	return all
}

// Harvesters that page while listings are published, revised, withdrawn and forgotten, while copies are drawn, replaced and
// taken back to earlier states, while clocks go back and the provider starts again, and that then ask for what is new, hold
// in the end exactly the catalogue.
func TestHarvestersConverge(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 6
	}
	did := make(map[string]int)
	for seed := range seeds {
		converge(t, uint64(seed), did)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Log(did)
	for _, what := range []string{"withdrawn", "floors", "swaps", "epochs", "restarts", "pages", "moved"} {
		if did[what] == 0 {
			t.Errorf("never happened: %s", what)
		}
	}
}

func converge(t *testing.T, seed uint64, did map[string]int) {
	w := &world{site: newSite(t), rnd: rand.New(rand.NewPCG(seed, 29)), away: openStore(t, ""), did: did}
	defer w.store.Close()
	defer w.away.Close()
	for _, o := range []protocol.MemberID{"AB", "ABC", "KH"} {
		w.sources = append(w.sources, &source{Node: w.machine(o, 0)})
		w.sources[len(w.sources)-1].Origin = o
	}
	var harvesters []*harvester
	for _, set := range []string{"", "", "kind:TR", "origin:AB"} {
		harvesters = append(harvesters, &harvester{set: set, holds: make(map[string]string)})
	}
	for range 250 {
		o := w.sources[w.rnd.IntN(len(w.sources))]
		switch n := w.rnd.IntN(40); {
		case n < 16:
			w.write(o)
		case n < 22:
			w.gossip(o, 1+w.rnd.IntN(20))
		case n < 25 && len(o.path) > 0:
			w.pull(o, w.node(o.Origin), 1+w.rnd.IntN(9), n < 24)
		case n == 25 && w.proven(o.Origin).Proven.Compare(pathEnd(o)) < 0:
			w.swap(o)
		case n == 26 && w.rnd.IntN(3) == 0:
			w.restore(o)
		case n > 32:
			h := harvesters[w.rnd.IntN(len(harvesters))]
			if resumed := h.token != ""; !h.page(w.site) || resumed {
				did["pages"]++
			}
		}
		w.between()
	}
	for _, o := range w.sources {
		if end := pathEnd(o); end.Compare(w.proven(o.Origin).Proven) > 0 || w.proven(o.Origin).CatchingUp() {
			w.swap(o)
		}
	}
	w.settled()
	w.clock += 1000
	w.settled()
	for _, h := range harvesters {
		if h.token != "" {
			did["moved"]++
		}
		for !h.page(w.site) { // the list that is under way
		}
		for !h.page(w.site) { // what is new since
		}
		want := w.want(h.set)
		for _, id := range slices.Sorted(maps.Keys(h.holds)) {
			if h.holds[id] != want[id] {
				t.Errorf("set %q: %s is %q, want %q", h.set, id, h.holds[id], want[id])
			}
			delete(want, id)
		}
		if len(want) > 0 {
			t.Errorf("set %q: never told of %v", h.set, slices.Sorted(maps.Keys(want)))
		}
	}
	checkRows(t, w.site)
	if seed > 3 {
		w.answers = nil
	}
}

func pathEnd(o *source) protocol.Position {
	if len(o.path) == 0 {
		return protocol.Start
	}
	return o.path[len(o.path)-1].Pos
}

// checkRows holds the two indexes of the chronicle against each other.
func checkRows(t testing.TB, s *site) {
	t.Helper()
	notes, entries := make(map[string]bool), make(map[string]bool)
	if err := s.store.View(func(tx *store.Tx) error {
		if err := tx.Rows(store.TableChronicle, "d/", "", func(key string, value []byte) (bool, error) {
			n, err := decodeNote(value)
			p := strings.Split(key, "/")
			e := entry{kind: n.kind, at: n.at}
			e.Origin, e.ID = protocol.MemberID(p[1]), protocol.ListingID(p[2])
			notes[fmt.Sprint(e.key(), n.deleted)] = true
			return true, err
		}); err != nil {
			return err
		}
		return tx.Rows(store.TableChronicle, "t/", "", func(key string, value []byte) (bool, error) {
			e, err := decodeEntry(key, value)
			entries[fmt.Sprint(key, e.deleted)] = true
			return true, err
		})
	}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(notes, entries) {
		t.Errorf("%d listings and %d rows in order do not belong together", len(notes), len(entries))
	}
}

// The same at once: who writes, who follows and who harvests are in each other's way at every moment. The clock runs fast.
func TestHarvestWhileWriting(t *testing.T) {
	s := newSite(t)
	var clock atomic.Int64
	clock.Store(start)
	cfg := s.config()
	cfg.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	cfg.PageSize = 1000 // so that many lists begin
	var err error
	if s.provider, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	s.provider.batch = 3
	s.provider.reserved = 1 << 40 // noting what was shown would put harvests and writes in line
	var ended atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer ended.Store(true)
		for n := range 600 {
			id := fmt.Sprintf("%c%03d", "AR"[n%2], n)
			if _, err := s.node("KH").Author(s.fed, protocol.Put, protocol.ListingID(id).Key(), listing(id, fmt.Sprint(n)).Encode()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Go(func() {
		for !ended.Load() {
			if err := s.provider.CatchUp(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Go(func() {
		for !ended.Load() {
			clock.Add(1)
			runtime.Gosched()
		}
	})
	h := &harvester{holds: make(map[string]string)}
	pages := 0
	for ; !ended.Load(); pages++ {
		h.page(s)
	}
	wg.Wait()
	s.catchUp()
	clock.Add(1)
	for range 2 {
		for !h.page(s) {
		}
	}
	w := &world{site: s, sources: []*source{{Node: s.node("KH")}}}
	if want := w.want(""); !maps.Equal(want, h.holds) {
		for id, title := range want {
			if h.holds[id] != title {
				t.Errorf("after %d pages %s is %q, want %q", pages, id, h.holds[id], title)
			}
		}
	}
	checkRows(t, s)
}

// Our own harvester draws all of it, and then what is new.
func TestOwnHarvester(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"A", "B", "C", "D", "E", "R"} {
		s.put("KH", id, "Title <"+id+">")
	}
	s.withdraw("KH", "B", "error")
	s.settled()
	server := httptest.NewServer(s.provider)
	defer server.Close()
	c := &harvest.Client{Allow: func(netip.Addr) bool { return true }}
	defer c.Close()
	from := harvest.Source{URL: server.URL}
	id, err := c.Identify(t.Context(), from)
	if err != nil || id.Deleted != "persistent" || id.Granularity != harvest.Second || id.Earliest.Unix() != start {
		t.Fatalf("%+v, %v", id, err)
	}
	walk := func(since time.Time) (got []string, asked time.Time) {
		t.Helper()
		for token, whole := "", false; !whole; {
			p, err := c.Page(t.Context(), from, id, since, token)
			if err != nil {
				t.Fatal(err)
			}
			token, whole = p.Token, p.Token == ""
			if asked.IsZero() {
				asked = p.Response
			}
			for _, r := range p.Records {
				title := "deleted"
				for _, f := range r.Fields {
					if f.Name == "dc:title" && f.Lang == "en" {
						title = f.Value
					}
				}
				if r.Err != nil || r.Deleted != (title == "deleted") {
					t.Errorf("%+v", r)
				}
				got = append(got, r.Identifier[len("oai:tmh.example.org:"):]+" "+title)
			}
		}
		return got, asked
	}
	got, asked := walk(time.Time{})
	s.want("all", []string{"KH/A Title <A>", "KH/B deleted", "KH/C Title <C>", "KH/D Title <D>", "KH/E Title <E>", "KH/R Title <R>"}, got)
	s.withdraw("KH", "D", "error")
	s.put("KH", "F", "F")
	s.settled()
	got, _ = walk(asked)
	s.want("new", []string{"KH/D deleted", "KH/F F"}, got)
}
