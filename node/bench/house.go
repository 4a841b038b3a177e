package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// HouseConfig of a measurement of what a node keeps for itself: people, listings on their way, full records.
type HouseConfig struct {
	Config
	Users, Organisations int
	Questions            int  // of each kind, asked of the full node
	Quick                bool // fill the node without looking for duplicates of each listing
}

// House measures a node alone with its people: how fast they post, read and sign in when all is there, and what it costs.
func House(ctx context.Context, c HouseConfig) error {
	if c.Organisations < 2 || c.Users < c.Organisations || c.Listings < c.Organisations || c.Questions < 1 {
		return errors.New("there is nothing to measure: want two organisations or more, as many people and listings, and a question")
	}
	began := time.Now()
	f, err := c.federation(1)
	if err != nil {
		return err
	}
	defer f.Close()
	b := &houseBench{HouseConfig: c, f: f, m: f.Members()[0], v: newVaried(c.Corpus)}
	if err := f.Start(b.m); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{b.settle, b.fill, b.post, b.restart, b.reading, b.signing, b.verify} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.Out, "\ntook in all %.0f s\n", time.Since(began).Seconds())
	return nil
}

type houseBench struct {
	HouseConfig
	f *demo.Federation
	m protocol.MemberID
	v *varied

	people    []*resident // the first Organisations of them edit for theirs, one each
	passwords []*resident
	provided  time.Duration        // settling them all
	hashed    time.Duration        // those with a password
	listings  []protocol.ListingID // by number; number i belongs to organisation i mod Organisations
	bytes     int64                // of the full records
}

// resident is a person with an account and a session.
type resident struct {
	actor  access.Actor
	secret string // of the session
	token  string
	email  string
}

func (b *houseBench) house() *house.House { return b.f.Node(b.m).House() }

func (b *houseBench) say(format string, args ...any) {
	fmt.Fprintf(b.Progress, "\r"+format+"      ", args...)
}

// settle people and organisations.
func (b *houseBench) settle(ctx context.Context) error {
	_, before := memory()
	start := time.Now()
	organisations, err := b.found()
	if err != nil {
		return err
	}
	founded := time.Since(start)
	if err := b.invite(ctx, organisations); err != nil {
		return err
	}
	b.say("")
	_, anon := memory()
	t := newTable(b.Out, fmt.Sprintf("\nhouse: %d organisations, %d people, %d full records; one node, SyncWrites, %d cores", b.Organisations, b.Users, b.Listings, runtime.GOMAXPROCS(0)))
	t.row("organisations entered", "%.0f /s", float64(b.Organisations)/founded.Seconds())
	t.row("people invited one by one, taken in by fifties", "%.0f /s", float64(b.Users)/b.provided.Seconds())
	t.row("people who set a password", "%d", len(b.passwords))
	t.row("of these taken in, by two clients", "%.1f /s", float64(len(b.passwords))/b.hashed.Seconds())
	t.row("RssAnon of the empty node and of the texts to post", "%d MiB", before>>20)
	t.row("RssAnon with its people", "%d MiB", anon>>20)
	return t.w.Flush()
}

// fill the node with listings, by two clients.
func (b *houseBench) fill(ctx context.Context) error {
	b.listings = make([]protocol.ListingID, b.Listings)
	start := time.Now()
	const piece = 10_000
	var lastRate float64
	for from := 0; from < b.Listings; from += piece {
		n := min(piece, b.Listings-from)
		last := time.Now()
		_, err := timed(ctx, n, 2, func(i int) error {
			if i%1000 == 0 {
				b.say("%d posted", from+i)
			}
			id, err := b.postOne(ctx, from+i)
			b.listings[from+i] = id
			return err
		})
		if err != nil {
			return err
		}
		lastRate = float64(n) / time.Since(last).Seconds()
		b.say("%d posted, %.0f /s\n", from+n, lastRate)
	}
	took := time.Since(start)
	waiting := b.f.Node(b.m).Waiting()
	start = time.Now()
	if err := demo.Await(ctx, "all is indexed", func() bool { return b.f.Node(b.m).Waiting() == 0 }); err != nil {
		return err
	}
	lag := time.Since(start)
	for _, id := range b.listings {
		n, err := b.size(id)
		if err != nil {
			return err
		}
		b.bytes += n
	}
	n := float64(b.Listings)
	b.say("")
	how := "looked for duplicates of"
	if b.Quick {
		how = "NOT looked for duplicates of"
	}
	t := newTable(b.Out, "\nlistings written, submitted, "+how+", and published without review, by two clients")
	t.row("posted", "%.0f /s", n/took.Seconds())
	t.row("the last of them, at the full size", "%.0f /s", lastRate)
	t.row("took", "%.1f s", took.Seconds())
	t.row("a full record", "%.0f bytes", float64(b.bytes)/n)
	t.row("still to index at the end", "%d", waiting)
	t.row("until the index had them too", "%.1f s", lag.Seconds())
	t.memory("with everything", n)
	t.row("on disk", "%d MiB", diskUse(b.f.Folder(b.m))>>20)
	return t.w.Flush()
}

// restart the node: what it holds then, and how soon it answers.
func (b *houseBench) restart(ctx context.Context) error {
	start := time.Now()
	if err := b.f.Stop(b.m); err != nil {
		return err
	}
	t := newTable(b.Out, "\nrestart")
	t.row("stopped in", "%.2f s", time.Since(start).Seconds())
	t.row("on disk", "%d MiB", diskUse(b.f.Folder(b.m))>>20)
	start = time.Now()
	if err := b.f.Start(b.m); err != nil {
		return err
	}
	t.row("doors open after", "%.2f s", time.Since(start).Seconds())
	if err := demo.Await(ctx, "the catalogue is read in", func() bool { return b.f.Node(b.m).Health().Ready }); err != nil {
		return err
	}
	t.row("read in after", "%.1f s", time.Since(start).Seconds())
	t.memory("after the restart", float64(b.Listings))
	return t.w.Flush()
}

// verify the audit log.
func (b *houseBench) verify(context.Context) error {
	var entries uint64
	faults := 0
	start := time.Now()
	err := b.house().Store.View(func(tx *store.Tx) (err error) {
		entries, err = audit.Verify(tx, b.m, func(audit.Fault) { faults++ })
		return err
	})
	if err != nil {
		return err
	}
	if faults > 0 {
		return fmt.Errorf("the audit log has %d faults", faults)
	}
	took := time.Since(start)
	t := newTable(b.Out, "\naudit log")
	t.row("entries", "%d", entries)
	t.row("verified in", "%.1f s", took.Seconds())
	t.memory("in the end", float64(b.Listings))
	t.row("on disk", "%d MiB", diskUse(b.f.Folder(b.m))>>20)
	return t.w.Flush()
}
