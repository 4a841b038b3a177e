package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Vegeta makes the load, in a process of its own on the same cores. It sends at a given rate whether answers come or not, so that
// what waits is counted with the time that it waited.
const Vegeta = "github.com/tsenart/vegeta/v12@v12.13.0"

// leastTitles give a million questions.
const leastTitles = 1000

// DoorsConfig of a measurement of the REST API under load.
type DoorsConfig struct {
	Config
	Titles  string // JSON Lines with title: the questions
	Vegeta  string // program
	Seconds int    // of each attack
}

// What the plan asks for: requests a second, and within what time 99 of 100 are answered.
type floor struct {
	name string
	rate int
	p99  time.Duration
}

// Doors measures a node that is asked by many: latencies at the floors' rates, the highest rates held, and what happens at ten
// times the floors.
func Doors(ctx context.Context, c DoorsConfig) error {
	b := newDoorsBench(c)
	if b.Listings < 1 || b.Seconds < 1 {
		return errors.New("there is nothing to measure: want a listing and a second or more")
	}
	var err error
	if b.titles, err = readTitles(c.Titles); err != nil {
		return err
	}
	stop, err := b.start(ctx)
	if err != nil {
		return err
	}
	err = b.measure(ctx)
	return errors.Join(err, stop())
}

type doorsBench struct {
	DoorsConfig
	r      *rand.Rand
	node   *node.Node
	member protocol.MemberID
	base   string
	titles []string
	asked  int             // titles that were used
	mixed  map[string]bool // questions of two titles
	files  int
}

func newDoorsBench(c DoorsConfig) *doorsBench {
	return &doorsBench{DoorsConfig: c, r: rand.New(rand.NewPCG(1, 31)), mixed: make(map[string]bool)}
}

func (b *doorsBench) say(format string, args ...any) {
	fmt.Fprintf(b.Progress, "\r"+format+"          ", args...)
}

// readTitles of a file, each once.
func readTitles(path string) (titles []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	seen := make(map[string]bool)
	for d := json.NewDecoder(f); d.More(); {
		var need struct{ Title string }
		if err := d.Decode(&need); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if t := strings.Join(strings.Fields(strings.Map(printable, need.Title)), " "); t != "" && !seen[t] && len(t) < 2000 {
			seen[t] = true
			titles = append(titles, t)
		}
	}
	if len(titles) < leastTitles {
		return nil, fmt.Errorf("%s holds %d titles, want %d or more, so that no question comes twice", path, len(titles), leastTitles)
	}
	return titles, nil
}

// start a node as tmh serve runs it, the only one of its federation, without bounds of how often one visitor may ask, and fill it.
func (b *doorsBench) start(ctx context.Context) (stop func() error, err error) {
	seat, err := founding.NewSeat(founding.Members(1)[0], "")
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	seat.Addresses = []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port)}
	if err := l.Close(); err != nil {
		return nil, err
	}
	papers, err := founding.Found("Bench", []founding.Seat{seat}, time.Now())
	if err != nil {
		return nil, err
	}
	cfg := node.Config{
		Member: seat.Member.ID, Record: seat.Record, Transport: seat.Transport, Papers: papers,
		Store: store.Config{Dir: filepath.Join(b.Dir, "data"), MinFree: 256 << 20}, Guard: filepath.Join(b.Dir, "guard"),
		Index: filepath.Join(b.Dir, "index"), Lexicon: filepath.Join(b.Dir, "lexicon"), Listen: seat.Addresses, Alone: true,
		HTTP: "127.0.0.1:0", Socket: filepath.Join(b.Dir, "tmh.sock"), Limits: &api.Limits{}, Demonstration: true, Version: "bench",
	}
	b.member = seat.Member.ID
	cfg.House.Imports = filepath.Join(b.Dir, "imports")
	if b.node, err = node.New(cfg); err != nil {
		return nil, err
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- b.node.Run(running) }()
	stop = func() error { end(); return <-done }
	select {
	case <-b.node.Ready():
	case err := <-done:
		done <- nil
		return nil, errors.Join(err, stop())
	}
	b.base = "http://" + b.node.HTTPAddr() + "/api/v1/"
	if err := b.fill(ctx); err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

func (b *doorsBench) fill(ctx context.Context) error {
	const piece = 5000
	for from := 0; from < b.Listings; from += piece {
		src := &source{c: b.Corpus, next: from, n: min(from+piece, b.Listings)}
		if err := b.node.Counter().Import(ctx, "jsonl", src, func(e exchange.ImportEvent) error { return refusal(e.Errors) }); err != nil {
			return err
		}
		b.say("%d imported", src.n)
	}
	b.Corpus = nil
	if err := demo.Await(ctx, "all is indexed", func() bool { return b.node.Waiting() == 0 && b.node.Health().Ready }); err != nil {
		return err
	}
	return b.settled(ctx)
}

// settled waits until the node has nothing to do any more: after so many new listings at once it learns their topics and merges
// its files.
func (b *doorsBench) settled(ctx context.Context) error {
	const look, calm = time.Second, 3
	t := time.NewTicker(look)
	defer t.Stop()
	for n, before := 0, cpuTime(); n < calm; n++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-t.C:
		}
		now := cpuTime()
		if now-before > look/20 {
			n = -1
		}
		before = now
		b.say("the node settles")
	}
	return nil
}

func refusal(all protocol.Errors) error {
	if len(all) == 0 {
		return nil
	}
	return all
}

// match gives addresses of n questions: the titles in a random order, and when they are used up the first half of one with the
// second half of another, so that no question comes twice.
func (b *doorsBench) match(n int) []string {
	all := make([]string, n)
	for i := range all {
		k := b.asked % len(b.titles)
		if k == 0 {
			b.r.Shuffle(len(b.titles), func(i, j int) { b.titles[i], b.titles[j] = b.titles[j], b.titles[i] })
		}
		t := b.titles[k]
		if b.asked >= len(b.titles) {
			t = b.mix(t)
			b.mixed[t] = true
		}
		b.asked++
		all[i] = "GET " + b.base + "match?q=" + url.QueryEscape(t)
	}
	return all
}

// mix a title's first half with the second half of another.
func (b *doorsBench) mix(title string) string {
	for {
		x, y := strings.Fields(title), strings.Fields(b.titles[b.r.IntN(len(b.titles))])
		if t := strings.Join(slices.Concat(x[:(len(x)+1)/2], y[len(y)/2:]), " "); t != title && !b.mixed[t] {
			return t
		}
	}
}

// one gives addresses of n listings.
func (b *doorsBench) one(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("GET %slistings/%s/B%08d", b.base, b.member, b.r.IntN(b.Listings))
	}
	return all
}

func (b *doorsBench) measure(ctx context.Context) error {
	_, idle := memory()
	head := newTable(b.Out, fmt.Sprintf("doors: %d listings, one node, load by vegeta in a process of its own on the same %d cores, open loop, %d s each", b.Listings, runtime.GOMAXPROCS(0), b.Seconds))
	head.row("titles to ask with", "%d", len(b.titles))
	head.row("RssAnon before", "%d MiB", idle>>20)
	if err := head.w.Flush(); err != nil {
		return err
	}
	floors := []struct {
		floor
		ask func(int) []string
	}{
		{floor{"GET match?q=TITLE", 300, 100 * time.Millisecond}, b.match},
		{floor{"GET listings/ORIGIN/ID", 3000, 20 * time.Millisecond}, b.one},
	}
	best := make([]int, len(floors))
	for i, f := range floors {
		var err error
		if best[i], err = b.held(ctx, f.floor, f.ask); err != nil {
			return err
		}
	}
	for i, f := range floors {
		if err := b.rush(ctx, f.floor, f.ask, max(1, min(f.rate, best[i])/2)); err != nil {
			return err
		}
	}
	if err := b.pages(ctx); err != nil {
		return err
	}
	b.say("")
	_, after := memory()
	t := newTable(b.Out, "\nafter everything")
	t.row("RssAnon", "%d MiB", after>>20)
	return t.w.Flush()
}

// pages of results, as people see them: the same questions, answered in HTML.
func (b *doorsBench) pages(ctx context.Context) error {
	api := b.base + "match?q="
	page := "http://" + b.node.HTTPAddr() + "/?q="
	ask := func(n int) []string {
		all := b.match(n)
		for i := range all {
			all[i] = strings.Replace(all[i], api, page, 1)
		}
		return all
	}
	fmt.Fprint(b.Out, "\nGET /?q=TITLE, the page of results\n")
	t := newColumns(b.Out, "", heads()...)
	for _, load := range []struct{ rate, connections int }{{25, 8}, {100, 8}, {100, 64}, {200, 64}, {2000, 64}} {
		a, err := b.attack(ctx, "pages", ask, load.rate, load.connections, b.Seconds)
		if err != nil {
			return err
		}
		t.attack(fmt.Sprintf("%d connections", load.connections), a)
	}
	return t.w.Flush()
}

func heads() []string {
	return []string{"offered /s", "answered /s", "p50 ms", "p99 ms", "max ms", "503 or 429", "other faults", "RssAnon MiB", "cores: node", "load"}
}

func (t columns) attack(name string, a *attack) {
	t.row(name, fmt.Sprintf("%.0f", a.offered), fmt.Sprintf("%.0f", a.rate()), ms(a.p50()), ms(a.p99()), ms(a.slowest()),
		fmt.Sprint(a.refused), fmt.Sprint(a.faults), fmt.Sprint(a.memory>>20), fmt.Sprintf("%.2f", a.node), fmt.Sprintf("%.2f", a.load))
}

// held asks at the floor's rate, and then for the highest rate at which the floor's time is kept.
func (b *doorsBench) held(ctx context.Context, f floor, ask func(int) []string) (best int, err error) {
	seconds := b.Seconds
	if _, err := b.attack(ctx, f.name+", to warm up", ask, f.rate/3, 8, 3); err != nil {
		return 0, err
	}
	fmt.Fprintf(b.Out, "\n%s, floor %d/s with p99 ≤ %d ms\n", f.name, f.rate, f.p99.Milliseconds())
	t := newColumns(b.Out, "", heads()...)
	for _, connections := range []int{8, 64} {
		a, err := b.attack(ctx, f.name, ask, f.rate, connections, seconds)
		if err != nil {
			return 0, err
		}
		t.attack(fmt.Sprintf("%d connections", connections), a)
	}
	if err := t.w.Flush(); err != nil {
		return 0, err
	}
	fmt.Fprintf(b.Out, "\n%s, highest rate held, 64 connections\n", f.name)
	t = newColumns(b.Out, "", heads()...)
	tried := 0
	try := func(rate int) (bool, error) {
		a, err := b.attack(ctx, f.name, ask, rate, 64, min(seconds, 8))
		if err != nil {
			return false, err
		}
		tried++
		ok := a.holds(f.p99)
		t.attack(fmt.Sprintf("%d/s %s", rate, map[bool]string{true: "held", false: "not held"}[ok]), a)
		if ok {
			best = max(best, rate)
		}
		return ok, nil
	}
	for _, x := range []float64{1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8} {
		if ok, err := try(int(x * float64(f.rate))); err != nil {
			return 0, err
		} else if !ok {
			break
		}
	}
	for x := .8; best == 0 && x > .1; x *= .8 {
		if _, err := try(int(x * float64(f.rate))); err != nil {
			return 0, err
		}
	}
	if err := t.w.Flush(); err != nil {
		return 0, err
	}
	fmt.Fprintf(b.Out, "highest rate held of %d tried: %d/s\n", tried, best)
	return best, nil
}

// rush asks ten times as much as the floor, and then looks how soon the floor's time is kept again at a rate that can be held.
func (b *doorsBench) rush(ctx context.Context, f floor, ask func(int) []string, calmRate int) error {
	const connections = 1024
	seconds := min(b.Seconds, 10)
	fmt.Fprintf(b.Out, "\n%s, ten times the floor\n", f.name)
	t := newColumns(b.Out, "", heads()...)
	a, err := b.attack(ctx, f.name, ask, 10*f.rate, connections, seconds)
	if err != nil {
		return err
	}
	calm, err := b.attack(ctx, f.name+", after the rush", ask, calmRate, 64, seconds)
	if err != nil {
		return err
	}
	t.attack(fmt.Sprintf("rush of %d/s, %d connections", 10*f.rate, connections), a)
	t.attack(fmt.Sprintf("after it, %d/s, 64 connections", calmRate), calm)
	if err := t.w.Flush(); err != nil {
		return err
	}
	answered := len(a.each)
	fmt.Fprintf(b.Out, "of %d requests %d%% were served, %d%% refused with Retry-After, %d ended otherwise; normal again %.2f s after the rush\n",
		answered, 100*len(a.took)/answered, 100*a.refused/answered, a.faults, calm.recovered(a.ended, f.p99).Seconds())
	return nil
}
