package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/asean-tmh/tmh/node/match"
)

// changer admits changes at a steady rate: of ten, six are revisions, two withdrawals and two new listings.
type changer struct {
	m        *matchBench
	r        *rand.Rand
	version  int
	next     int // number of the next new listing
	admitted int
	late     int             // batches that came more than one beat late
	applied  []time.Duration // for a batch
	visible  []time.Duration // from the beginning of a batch until a query finds what is new in it
	began    time.Time
	ended    time.Time
	gone     map[int]bool
	marked   int
	enough   chan struct{} // closed once some changes were seen, or the changer gave up
}

// beats a second: each admits a batch.
const beats = 50

// markEvery batch has a listing that a query looks for until it is found.
const markEvery = 5

func (c *changer) run(ctx context.Context) error {
	c.began = time.Now()
	var once sync.Once
	enough := func() { once.Do(func() { close(c.enough) }) }
	defer enough()
	defer func() { c.ended = time.Now() }()
	for n := 0; ; n++ {
		if len(c.visible) >= 5 {
			enough()
		}
		behind := time.Since(c.began) - time.Duration(n)*time.Second/beats
		if behind > time.Second/beats {
			c.late++
		}
		beat := time.NewTimer(-behind)
		select {
		case <-ctx.Done():
			beat.Stop()
			return nil
		case <-beat.C:
		}
		if err := c.batch(ctx, n); err != nil {
			return err
		}
	}
}

func (c *changer) batch(ctx context.Context, n int) error {
	var batch []match.Change
	marker := ""
	var marked match.Ref
	for k := range max(c.m.Changes/beats, 1) {
		i := c.r.IntN(c.m.Listings)
		var ch match.Change
		switch {
		case k%10 < 6 && !c.gone[i]:
			c.version++
			ch.Ref, ch.Listing = c.m.v.listing(i, c.version)
		case k%10 < 8 && !c.gone[i]:
			ch.Ref, _ = c.m.v.listing(i, 0)
			c.gone[i] = true
		default:
			ch.Ref, ch.Listing = c.m.v.listing(c.next, 0)
			c.next++
		}
		if ch.Listing != nil && marker == "" && n%markEvery == 0 {
			c.marked++
			marker = markWord(c.marked)
			t := ch.Listing.Texts["en"]
			t.Title = marker + " " + t.Title
			ch.Listing.Texts["en"], marked = t, ch.Ref
		}
		batch = append(batch, ch)
	}
	start := time.Now()
	c.m.e.apply(batch)
	c.applied = append(c.applied, time.Since(start))
	c.admitted += len(batch)
	if marker == "" {
		return nil
	}
	for {
		a, err := c.m.e.match(ctx, match.Query{Text: marker, Limit: 1})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if slices.ContainsFunc(a.Hits, func(h match.Hit) bool { return h.Ref == marked }) {
			c.visible = append(c.visible, time.Since(start))
			return nil
		}
		if time.Since(start) > 10*time.Second {
			return fmt.Errorf("a change is not searchable after 10 s: %v", marked)
		}
	}
}

// markWord is a word that no other listing has.
func markWord(n int) string {
	b := []byte("zqx")
	for range 6 {
		b = append(b, byte('a'+n%26))
		n /= 26
	}
	return string(append(b, 'q', 'z'))
}

// changing measures the same questions while changes are admitted.
func (m *matchBench) changing(ctx context.Context) error {
	if m.Changes <= 0 {
		return nil
	}
	during, stop := context.WithCancel(ctx)
	defer stop()
	c := &changer{m: m, r: rand.New(rand.NewPCG(3, 23)), next: m.Listings, gone: make(map[int]bool), enough: make(chan struct{})}
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() { failed = c.run(during) })
	t := newColumns(m.Out, fmt.Sprintf("\nms while %d changes/s are admitted", m.Changes), "one client p50", "p99", "two clients p50", "p99")
	var asked error
	for _, a := range m.rows()[:4] {
		m.say("%s, with changes", a.name)
		var one, two []time.Duration
		if one, asked = m.put(ctx, a, 1); asked != nil {
			break
		}
		if two, asked = m.put(ctx, a, 2); asked != nil {
			break
		}
		t.row(a.name, ms(p50(one)), ms(p99(one)), ms(p50(two)), ms(p99(two)))
	}
	if asked == nil {
		<-c.enough
	}
	stop()
	wg.Wait()
	m.say("")
	if err := errors.Join(asked, failed); err != nil {
		return err
	}
	if err := t.w.Flush(); err != nil {
		return err
	}
	slices.Sort(c.applied)
	slices.Sort(c.visible)
	r := newTable(m.Out, "")
	r.row("changes admitted", "%.0f /s", float64(c.admitted)/c.ended.Sub(c.began).Seconds())
	r.row("batches more than a beat late", "%d of %d", c.late, len(c.applied))
	r.row("a batch applied, p50", "%s ms", ms(p50(c.applied)))
	r.row("a batch applied, p99", "%s ms", ms(p99(c.applied)))
	r.row("searchable after, p50", "%s ms", ms(p50(c.visible)))
	r.row("searchable after, p99", "%s ms", ms(p99(c.visible)))
	return r.w.Flush()
}
