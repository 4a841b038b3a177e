package document_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/asean-tmh/tmh/node/document"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func kept(t testing.TB, cfg store.Config) (*document.Archive, *store.Store, *clock) {
	t.Helper()
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c := &clock{time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)}
	return document.New(document.Config{Store: s, Now: c.now}), s, c
}

// noise is a picture that hardly compresses, so it makes several chunks.
func noise(t testing.TB, side int) *document.Clean {
	t.Helper()
	m := photo(side, side)
	r := rand.New(rand.NewPCG(1, uint64(side)))
	for i := range m.Pix {
		if i%4 != 3 {
			m.Pix[i] = byte(r.Uint32())
		}
	}
	return accept(t, pngOf(t, m))
}

func put(t testing.TB, a *document.Archive, c *document.Clean) {
	t.Helper()
	if err := a.Put(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

func update(t testing.TB, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(f); err != nil {
		t.Fatal(err)
	}
}

func rows(t testing.TB, s *store.Store, table store.Table) (n int) {
	t.Helper()
	if err := s.View(func(tx *store.Tx) error {
		return tx.Rows(table, "", "", func(string, []byte) (bool, error) { n++; return true, nil })
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPutAndRead(t *testing.T) {
	a, s, _ := kept(t, store.Config{})
	c := noise(t, 520)
	if len(c.Bytes()) < 3<<18 {
		t.Fatalf("only %d bytes", len(c.Bytes()))
	}
	put(t, a, c)
	n := rows(t, s, store.TableChunk)
	put(t, a, c)
	if again := rows(t, s, store.TableChunk); again != n || n < 5 {
		t.Errorf("%d chunks, then %d", n, again)
	}
	// byte for byte and from anywhere, where it is short; whole, where it has many parts
	whole, err := a.Open(c.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(whole); err != nil || !bytes.Equal(b, c.Bytes()) {
		t.Errorf("%d bytes: %v", len(b), err)
	}
	small := noise(t, 60)
	put(t, a, small)
	for h, want := range map[protocol.Hash][]byte{small.Hash: small.Bytes(), small.Preview: small.PreviewBytes()} {
		r, err := a.Open(h)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, want[:len(want):len(want)]); err != nil {
			t.Error(err)
		}
		r.Close()
	}
	if r, _ := a.Open(c.Hash); r.Width != 520 || r.Type != document.TypePNG || r.Name != "" || r.Preview != c.Preview {
		t.Errorf("header %+v", r.Document)
	}
	if _, err := a.Open(protocol.Sum(nil)); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("nothing was opened: %v", err)
	}
	web := httptest.NewRecorder()
	r, _ := a.Open(c.Hash)
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	req.Header.Set("Range", "bytes=262140-262150")
	http.ServeContent(web, req, "x.png", time.Time{}, r)
	if web.Code != http.StatusPartialContent || !bytes.Equal(web.Body.Bytes(), c.Bytes()[262140:262151]) {
		t.Errorf("range over two chunks: %d, %d bytes", web.Code, web.Body.Len())
	}
}

func TestSharedUntilTheLastDetaches(t *testing.T) {
	a, s, now := kept(t, store.Config{})
	c := noise(t, 300)
	put(t, a, c)
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(document.Attach(tx, "one", c.Hash, document.Limits{}), document.Attach(tx, "one", c.Hash, document.Limits{}), document.Attach(tx, "two", c.Hash, document.Limits{}))
	})
	now.at = now.at.Add(48 * time.Hour)
	sweep := func(want document.Swept) {
		t.Helper()
		if got, err := a.Sweep(context.Background()); err != nil || got != want {
			t.Errorf("swept %+v, %v; want %+v", got, err, want)
		}
	}
	sweep(document.Swept{})
	update(t, s, func(tx *store.Tx) error { return document.Detach(tx, "one", c.Hash) })
	sweep(document.Swept{})
	if _, err := a.Open(c.Hash); err != nil {
		t.Errorf("two lost it: %v", err)
	}
	update(t, s, func(tx *store.Tx) error { return document.Detach(tx, "two", c.Hash) })
	sweep(document.Swept{Documents: 2})
	if n := rows(t, s, store.TableChunk) + rows(t, s, store.TableDocument); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	if err := s.Update(func(tx *store.Tx) error { return document.Attach(tx, "one", c.Hash, document.Limits{}) }); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("attached what is gone: %v", err)
	}
}

func TestUnattachedWaits(t *testing.T) {
	a, _, now := kept(t, store.Config{})
	c := noise(t, 50)
	put(t, a, c)
	now.at = now.at.Add(23 * time.Hour)
	put(t, a, c) // sent again: it waits anew
	now.at = now.at.Add(23 * time.Hour)
	if got, err := a.Sweep(context.Background()); err != nil || got != (document.Swept{}) {
		t.Errorf("%+v, %v", got, err)
	}
	now.at = now.at.Add(2 * time.Hour)
	if got, err := a.Sweep(context.Background()); err != nil || got.Documents != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A crash between chunks and header leaves chunks; the document is not there, and the rest is swept.
func TestBrokenOffPutLeavesOnlyOrphans(t *testing.T) {
	a, s, _ := kept(t, store.Config{})
	c := noise(t, 520)
	ctx, cancel := context.WithCancel(context.Background())
	after := &afterSome{Context: ctx, left: 2}
	if err := a.Put(after, c); !errors.Is(err, context.Canceled) {
		t.Fatalf("put: %v", err)
	}
	cancel()
	if rows(t, s, store.TableChunk) < 2 {
		t.Fatal("nothing was written before the break")
	}
	if _, err := a.Open(c.Hash); protocol.CodeOf(err) != protocol.CodeNotFound {
		t.Errorf("half a document was opened: %v", err)
	}
	if got, err := a.Sweep(context.Background()); err != nil || got.Orphans != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if n := rows(t, s, store.TableChunk); n != 1 { // the preview was whole
		t.Errorf("%d chunks are left", n)
	}
	put(t, a, c)
	r, err := a.Open(c.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, c.Bytes()) {
		t.Errorf("not mended: %v", err)
	}
}

type afterSome struct {
	context.Context
	left int
}

func (c *afterSome) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestDamageIsSeenAndMended(t *testing.T) {
	a, s, _ := kept(t, store.Config{})
	c := noise(t, 520)
	put(t, a, c)
	faults := func() (n int) {
		if err := a.Verify(context.Background(), func(h protocol.Hash, err error) {
			if h != c.Hash {
				t.Errorf("%s: %v", h, err)
			}
			n++
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := faults(); n != 0 {
		t.Errorf("%d faults of a whole one", n)
	}
	key := c.Hash.String() + "/0001"
	update(t, s, func(tx *store.Tx) error {
		b, err := tx.Row(store.TableChunk, key)
		b[7] ^= 1
		return errors.Join(err, tx.SetRow(store.TableChunk, key, b))
	})
	if n := faults(); n != 1 {
		t.Errorf("a turned bit: %d faults", n)
	}
	update(t, s, func(tx *store.Tx) error { return tx.DeleteRow(store.TableChunk, key) })
	r, err := a.Open(c.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("a lost chunk: %v", err)
	}
	put(t, a, c)
	if n := faults(); n != 0 {
		t.Errorf("%d faults after it was sent again", n)
	}
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(document.Attach(tx, "one", c.Hash, document.Limits{}), tx.DeleteRow(store.TableDocument, "d/"+c.Hash.String()))
	})
	if n := faults(); n != 1 {
		t.Errorf("a lost header: %d faults", n)
	}
}

func TestLimitsOfAListing(t *testing.T) {
	a, s, _ := kept(t, store.Config{})
	var all []*document.Clean
	for i := range 4 {
		c := accept(t, plainPDF(i+1, ""))
		put(t, a, c)
		all = append(all, c)
	}
	attach := func(c *document.Clean, l document.Limits) error {
		return s.Update(func(tx *store.Tx) error { return document.Attach(tx, "one", c.Hash, l) })
	}
	two := document.Limits{Documents: 2}
	if err := errors.Join(attach(all[0], two), attach(all[1], two)); err != nil {
		t.Fatal(err)
	}
	if err := attach(all[2], two); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("a third: %v", err)
	}
	if err := attach(all[1], two); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	sum := all[0].Size + all[1].Size + all[2].Size
	if err := attach(all[2], document.Limits{Listing: sum - 1}); protocol.CodeOf(err) != protocol.CodeTooLarge {
		t.Errorf("too many bytes: %v", err)
	}
	if err := attach(all[2], document.Limits{Listing: sum}); err != nil {
		t.Errorf("as many bytes as may be: %v", err)
	}
	if err := s.Update(func(tx *store.Tx) error { return document.Attach(tx, "one/../two", all[3].Hash, document.Limits{}) }); protocol.CodeOf(err) != protocol.CodeValue {
		t.Errorf("a listing's id that is none: %v", err)
	}
	if err := s.View(func(tx *store.Tx) error {
		list, err := document.Attached(tx, "one")
		if len(list) != 3 {
			err = fmt.Errorf("%d documents", len(list))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func TestReadOnlyIsSaidAtOnce(t *testing.T) {
	free := uint64(1 << 50)
	a, s, _ := kept(t, store.Config{Dir: t.TempDir(), Free: func() (uint64, uint64, error) { return free, 1 << 50, nil }})
	c := noise(t, 20)
	put(t, a, c)
	free = 0
	_ = s.Update(func(*store.Tx) error { return nil }) // the store looks at the disk
	err := a.Put(context.Background(), noise(t, 30))
	if protocol.CodeOf(err) != protocol.CodeReadOnly || !strings.Contains(err.Error(), "takes no documents now: try again later") {
		t.Errorf("put: %v", err)
	}
	if _, err := a.Open(c.Hash); err != nil {
		t.Errorf("reading: %v", err)
	}
}
