package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asean-tmh/tmh/node/api"
	"github.com/asean-tmh/tmh/node/door"
	"github.com/asean-tmh/tmh/node/exchange"
	"github.com/asean-tmh/tmh/node/ingest"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
	"github.com/asean-tmh/tmh/ui"
)

// Time limits of the doors. The API sets its own for imports and full records.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 10 * time.Second
	searchWait    = 250 * time.Millisecond // how long a publication waits to be searchable
)

// counter is the desk with what only a door offers.
type counter struct {
	*exchange.Desk
	n *Node
}

// note writes into the audit log what came through a door of the catalogue's own, past the house.
func (c counter) note(ctx context.Context, action, kind, id string, detail map[string]string) {
	if a := door.ActorOf(ctx); !a.Anonymous() { // else it is the program itself, such as a demonstration
		c.n.house.Note(a, action, kind, id, detail)
	}
}

// Publish waits a moment for the index, so that whoever published finds what was published.
func (c counter) Publish(ctx context.Context, l *protocol.Listing) (exchange.Receipt, error) {
	r, err := c.Desk.Publish(ctx, l)
	if err == nil {
		if r.Outcome != exchange.Unchanged {
			c.note(ctx, "listing.publish", "listing", string(l.ID), map[string]string{"outcome": string(r.Outcome)})
		}
		c.n.follow.searchable(ctx, r.Ref, searchWait)
	}
	return r, err
}

func (c counter) Withdraw(ctx context.Context, id protocol.ListingID, t protocol.Tombstone) (exchange.Receipt, error) {
	r, err := c.Desk.Withdraw(ctx, id, t)
	if err == nil {
		c.note(ctx, "listing.withdraw", "listing", string(id), map[string]string{"reason": t.Reason})
		c.n.follow.searchable(ctx, r.Ref, searchWait)
	}
	return r, err
}

func (c counter) Papers() []byte { return c.n.papersFrom(1).Encode() }

func (c counter) Adopt(papers []byte) error {
	p, err := protocol.DecodePapers(papers)
	if err != nil {
		return err
	}
	return c.n.Adopt(p)
}

// importGroup is how many rows share one durable write, and progressEvery how often the sender hears.
const (
	importGroup   = maxGroup
	progressEvery = 250 * time.Millisecond
)

// Import publishes the listings of a file. Rows at fault are reported and left out. Reading and judging the next rows
// goes on while a group is written.
func (c counter) Import(ctx context.Context, format string, r io.Reader, each func(exchange.ImportEvent) error) error {
	c.n.follow.bulk.Add(1)
	defer c.n.follow.bulk.Add(-1)
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	groups := make(chan []ingest.Row, 2)
	g.Go(func() error {
		defer close(groups)
		var group []ingest.Row
		send := func() bool {
			select {
			case groups <- group:
				group = nil
				return true
			case <-ctx.Done():
				return false
			}
		}
		for row := range ingest.Rows(format, r) {
			if group = append(group, row); len(group) == importGroup && !send() {
				return context.Cause(ctx)
			}
		}
		if len(group) > 0 && !send() {
			return context.Cause(ctx)
		}
		return nil
	})
	var count exchange.ImportCount
	g.Go(func() error {
		told := start
		for group := range groups {
			if err := c.importGroup(ctx, group, &count, each); err != nil {
				return err
			}
			if count.Seconds = time.Since(start).Seconds(); time.Since(told) >= progressEvery {
				told = time.Now()
				now := count
				if err := each(exchange.ImportEvent{Progress: &now}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	err := g.Wait()
	if count.Published+count.Revised > 0 {
		c.note(context.WithoutCancel(ctx), "listing.import", "catalogue", string(c.n.cfg.Member), map[string]string{
			"published": strconv.Itoa(count.Published), "revised": strconv.Itoa(count.Revised), "refused": strconv.Itoa(count.Refused),
		})
	}
	if err != nil {
		return err
	}
	count.Seconds = time.Since(start).Seconds()
	return each(exchange.ImportEvent{Done: &count})
}

func (c counter) importGroup(ctx context.Context, group []ingest.Row, count *exchange.ImportCount, each func(exchange.ImportEvent) error) error {
	var all []exchange.Publication
	var rows []ingest.Row
	refuse := func(row ingest.Row, err error) error {
		count.Refused++
		return each(exchange.ImportEvent{Row: row.N, ID: row.ID, Errors: protocol.All(err)})
	}
	for _, row := range group {
		count.Rows++
		if row.Err != nil {
			if err := refuse(row, row.Err); err != nil {
				return err
			}
			continue
		}
		all = append(all, exchange.Publication{Listing: row.Listing, Record: row.Record})
		rows = append(rows, row)
	}
	results, err := c.PublishAll(ctx, all)
	if err != nil {
		return err
	}
	for i, r := range results {
		switch {
		case r.Err != nil:
			if err := refuse(rows[i], r.Err); err != nil {
				return err
			}
		case r.Outcome == exchange.Published:
			count.Published++
		case r.Outcome == exchange.Revised:
			count.Revised++
		default:
			count.Unchanged++
		}
	}
	return nil
}

// serveDoors serves pages, API and the administration socket until ctx ends, and drains open requests.
func (n *Node) serveDoors(ctx context.Context) error {
	if n.cfg.HTTP == "" && n.cfg.Socket == "" { // a simulated node
		close(n.ready)
		<-ctx.Done()
		return nil
	}
	c := counter{n.desk, n}
	keeper := &door.Keeper{House: n.house, Member: n.cfg.Member, Token: n.cfg.Token, Proxies: n.cfg.Proxies}
	a := api.New(api.Config{Desk: c, Door: keeper, Operator: operator{n}, Backup: c.Backup, Decode: ingest.DecodeListingJSON, Gatherer: n.cfg.Metrics, Member: n.cfg.Member, House: n.house, Version: n.cfg.Version, Secret: n.house.Key("api"), Limits: n.cfg.Limits, Refused: func() { n.refused.Add(1) }, Site: n.site, Live: n.live, Replay: n.house.Replay, Now: n.cfg.Now, Log: n.log})
	g, ctx := errgroup.WithContext(ctx)
	if n.cfg.HTTP != "" {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", n.cfg.HTTP)
		if err != nil {
			return fmt.Errorf("listen for pages and API: %w", err)
		}
		addr := l.Addr().String()
		n.httpAddr.Store(&addr)
		name, _ := n.roster.Load().Member(n.cfg.Member)
		pages := ui.New(ui.Config{
			Desk: c, House: n.house, Door: keeper, Name: name.Name, Demonstration: n.cfg.Demonstration, Version: n.cfg.Version, Development: development(n.cfg.Version),
			Description: a.Description(), Site: a.SiteOf, Costly: a.Costly, History: n.History, Examine: n.Examine, Backups: n.backupsKept, Now: n.cfg.Now, Log: n.log,
		})
		mux := http.NewServeMux()
		mux.Handle("/api/", a.Public())
		for _, path := range api.RootPaths() {
			mux.Handle(path, a.Public())
		}
		mux.Handle(oaiPath, a.Bounded(n.oai))
		mux.Handle("/", pages)
		guarded := door.ProtectWith(mux, a.Denied())
		var pair *certificate
		if n.cfg.Certificate != "" {
			if pair, err = newCertificate(n.cfg.Certificate, n.cfg.Key, n.cfg.Now, n.log); err != nil {
				return errors.Join(err, l.Close())
			}
			n.pair.Store(pair)
		}
		g.Go(func() error { return n.serve(ctx, l, pair, guarded, a.EndStreams) })
	}
	if n.cfg.Socket != "" {
		l, err := listenSocket(ctx, n.cfg.Socket)
		if err != nil {
			return err
		}
		g.Go(func() error { return n.serve(ctx, l, nil, a.Operator(), a.EndStreams) })
	}
	if n.cfg.Alone {
		n.log.Warn("started with --alone: this node signs though fewer than half of the other members said what they hold of its catalogue")
	}
	close(n.ready)
	g.Go(func() error { <-ctx.Done(); return nil })
	return g.Wait()
}

// backupsKept is what the pages of administration say of backups.
func (n *Node) backupsKept() (ui.Backups, error) {
	c := n.cfg.Backup
	b := ui.Backups{Dir: c.Dir, Every: c.Every, Keep: c.Keep}
	n.backups.mu.Lock()
	b.Failures, b.Why = n.backups.failures, n.backups.why
	n.backups.mu.Unlock()
	err := n.store.View(func(tx *store.Tx) error {
		all, err := given(tx)
		for _, at := range all {
			b.Given = append(b.Given, at.Time())
		}
		return err
	})
	if c.Dir == "" || err != nil {
		return b, err
	}
	_, made, err := store.Backups(c.Dir, n.cfg.Member)
	b.Made = made
	return b, err
}

// serve answers over a listener until ctx ends, with TLS where there is a certificate. What stays open by itself is ended by
// hangUp then.
func (n *Node) serve(ctx context.Context, l net.Listener, pair *certificate, h http.Handler, hangUp func()) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	s.RegisterOnShutdown(hangUp)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		stopped <- errors.Join(s.Shutdown(drain), s.Close())
	}()
	start := s.Serve
	if pair != nil {
		s.TLSConfig = pair.config()
		start = func(l net.Listener) error { return s.ServeTLS(l, "", "") }
	}
	if err := start(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return <-stopped
}

// listenSocket makes the administration socket, which only its owner may use. The guard file's lock has shown that no
// other process of this node lives, so a socket that is there is a dead one's.
func listenSocket(ctx context.Context, path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove old socket: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of socket: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the administration socket: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}

// Counter is the desk as the doors serve it, for callers in the same process.
func (n *Node) Counter() api.Desk { return counter{n.desk, n} }
