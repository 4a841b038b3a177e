package replay_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node/replay"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

type bench struct {
	t     *testing.T
	store *store.Store
	log   *replay.Log
	clock time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := &bench{t: t, store: s, clock: time.Date(2026, 9, 21, 8, 0, 0, 0, time.UTC)}
	b.log = replay.New(s, b.now)
	return b
}

func (b *bench) now() time.Time { return b.clock }

func request(key string) replay.Request {
	return replay.Request{Actor: "person u1", Method: "POST", Path: "/api/v1/tokens", Key: key, Body: []byte(`{"name":"sync"}`)}
}

const key = "8e03978e-40d5-43dd-bc93-6894a57f9324"

// claim of a request that has to be new.
func (b *bench) claim(r replay.Request) *replay.Claim {
	b.t.Helper()
	c, a, err := b.log.Begin(r)
	if err != nil || a != nil || c == nil {
		b.t.Fatalf("began with %v, %v, %v", c, a, err)
	}
	return c
}

// rows of the table, as they lie on the disk.
func (b *bench) rows() map[string]string {
	b.t.Helper()
	all := map[string]string{}
	err := b.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableReplay, "", "", func(k string, v []byte) (bool, error) {
			all[k] = string(v)
			return true, nil
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

func TestAnswerIsGivenAgain(t *testing.T) {
	b := newBench(t)
	given := replay.Answer{Status: 201, Header: map[string]string{"Location": "/x"}, Body: []byte(`{"secret":"tmh_topsecret"}`)}
	if err := b.claim(request(key)).Keep(given); err != nil {
		t.Fatal(err)
	}
	b.clock = b.clock.Add(23 * time.Hour)
	_, a, err := replay.New(b.store, b.now).Begin(request(key)) // after a restart too
	if err != nil || a == nil || a.Status != 201 || a.Header["Location"] != "/x" || !bytes.Equal(a.Body, given.Body) {
		t.Fatalf("got %+v, %v", a, err)
	}
	for k, v := range b.rows() {
		for _, secret := range []string{"topsecret", key, "person u1", "sync"} {
			if strings.Contains(k+v, secret) {
				t.Errorf("the store holds %q in clear: %s %s", secret, k, v)
			}
		}
	}
	b.clock = b.clock.Add(2 * time.Hour)
	b.claim(request(key)) // a day is over
}

func TestKeysBelongToWhoSentThem(t *testing.T) {
	b := newBench(t)
	if err := b.claim(request(key)).Keep(replay.Answer{Status: 201}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*replay.Request){
		"another actor":  func(r *replay.Request) { r.Actor = "person u2" },
		"another method": func(r *replay.Request) { r.Method = "PUT" },
		"another path":   func(r *replay.Request) { r.Path = "/api/v1/postings" },
		"another key":    func(r *replay.Request) { r.Key = strings.ToUpper(key) },
		"moved border":   func(r *replay.Request) { r.Method, r.Path = "POST/", "api/v1/tokens" },
	} {
		r := request(key)
		change(&r)
		if c, a, err := b.log.Begin(r); c == nil || a != nil || err != nil {
			t.Errorf("%s: %v %v %v", name, c, a, err)
		}
	}
	r := request(key)
	r.Body = []byte("other")
	if _, a, err := b.log.Begin(r); a != nil || !replay.Other(err) || protocol.CodeOf(err) != protocol.CodeConflict {
		t.Errorf("another body: %v, %v", a, err)
	}
}

func TestWhatIsNotDone(t *testing.T) {
	b := newBench(t)
	c := b.claim(request(key))
	refused := func(when, want string, l *replay.Log) {
		t.Helper()
		if _, a, err := l.Begin(request(key)); a != nil || protocol.CodeOf(err) != protocol.CodeConflict || replay.Other(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", when, a, err)
		}
	}
	refused("at once", "still being worked on", b.log)
	b.clock = b.clock.Add(time.Second)
	refused("after a restart", "cut off", replay.New(b.store, b.now))
	b.clock = b.clock.Add(3 * time.Minute)
	refused("later", "cut off", b.log)
	if err := c.Forget(); err != nil {
		t.Fatal(err)
	}
	if n := len(b.rows()); n != 0 {
		t.Errorf("%d rows are left of what was forgotten", n)
	}
	r := request(key)
	r.Body = []byte("mended")
	b.claim(r)
}

func TestAtOnce(t *testing.T) {
	b := newBench(t)
	var begun, busy atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			c, _, err := b.log.Begin(request(key))
			switch {
			case c != nil:
				begun.Add(1)
			case protocol.CodeOf(err) == protocol.CodeConflict:
				busy.Add(1)
			}
		})
	}
	all.Wait()
	if begun.Load() != 1 || busy.Load() != 15 {
		t.Errorf("%d began, %d were told to wait", begun.Load(), busy.Load())
	}
}

func TestLargeAnswersAreCut(t *testing.T) {
	b := newBench(t)
	if err := b.claim(request(key)).Keep(replay.Answer{Status: 201, Body: make([]byte, replay.MaxBody+1)}); err != nil {
		t.Fatal(err)
	}
	if _, a, err := b.log.Begin(request(key)); err != nil || !a.Cut || a.Status != 201 || len(a.Body) != 0 {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestAlteredRowsAreNotBelieved(t *testing.T) {
	b := newBench(t)
	if err := b.claim(request(key)).Keep(replay.Answer{Status: 201, Body: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	other := request(strings.ToUpper(key))
	if err := b.claim(other).Keep(replay.Answer{Status: 201, Body: []byte("b")}); err != nil {
		t.Fatal(err)
	}
	var keys []string
	rows := b.rows()
	for k := range rows {
		if strings.HasPrefix(k, "k/") {
			keys = append(keys, k)
		}
	}
	if len(keys) != 2 {
		t.Fatalf("%d rows", len(keys))
	}
	err := b.store.Update(func(tx *store.Tx) error { // swapped
		return errors.Join(tx.SetRow(store.TableReplay, keys[0], []byte(rows[keys[1]])), tx.SetRow(store.TableReplay, keys[1], []byte(rows[keys[0]])))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []replay.Request{request(key), other} {
		if _, a, err := b.log.Begin(r); err == nil {
			t.Errorf("got %+v", a)
		}
	}
}

func TestKeysAreBoundedAndSwept(t *testing.T) {
	b := newBench(t)
	if testing.Short() {
		t.Skip("writes ten thousand rows")
	}
	for i := range replay.MaxKeys {
		b.claim(request(fmt.Sprintf("key-number-%08d", i)))
	}
	if _, _, err := b.log.Begin(request(key)); protocol.CodeOf(err) != protocol.CodeQuota {
		t.Errorf("one too many: %v", err)
	}
	other := request(key)
	other.Actor = "person u2"
	if err := b.claim(other).Keep(replay.Answer{Status: 201}); err != nil {
		t.Fatal(err)
	}
	b.clock = b.clock.Add(replay.Lifetime - time.Minute)
	b.clock = b.clock.Add(time.Minute)
	third := request(key)
	third.Actor = "person u3"
	b.claim(third)
	if err := b.log.Sweep(); err != nil {
		t.Fatal(err)
	}
	if rows := b.rows(); len(rows) != 2 { // the third's, and its count
		t.Errorf("%d rows are left", len(rows))
	}
	b.claim(request(key))
}

func TestParseKey(t *testing.T) {
	for header, want := range map[string]string{
		key: key, `"` + key + `"`: key, `"short"`: "", "": "", `"` + key: "", key + `"`: "", strings.Repeat("x", 129): "", strings.Repeat("x", 128): strings.Repeat("x", 128),
		key + "\n": "", "has spaces in between it": "", "ចំណុច ចំណុច ចំណុច": "", key + `\`: "",
	} {
		if got, err := replay.ParseKey(header); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", header, got, err)
		}
	}
}

// FuzzParseKey: what is taken is bounded, visible, and means the same in quotes.
func FuzzParseKey(f *testing.F) {
	f.Add(key)
	f.Add(`"` + key + `"`)
	f.Add("\"\r\n\"")
	f.Fuzz(func(t *testing.T, header string) {
		got, err := replay.ParseKey(header)
		if err != nil {
			return
		}
		if len(got) < replay.MinKey || len(got) > replay.MaxKey || strings.ContainsAny(got, "\r\n\x00\"\\ ") {
			t.Errorf("took %q", got)
		}
		if again, err := replay.ParseKey(`"` + got + `"`); err != nil || again != got {
			t.Errorf("%q in quotes: %q, %v", got, again, err)
		}
	})
}
