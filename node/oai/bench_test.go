package oai

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/protocol/replica"
	"github.com/asean-tmh/tmh/protocol/replica/replicatest"
	"github.com/asean-tmh/tmh/store"
)

// filled is a site on disk with listings of one origin, in the chronicle.
func filled(b *testing.B, listings int) *site {
	b.Helper()
	s := newSite(b)
	dir, err := os.MkdirTemp(b.TempDir(), "store")
	if err != nil {
		b.Fatal(err)
	}
	if s.store, err = store.Open(store.Config{Dir: dir, MinFree: 1}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.store.Close() })
	s.restart()
	signer := replicatest.RecordSigner("KH")
	for from := 0; from < listings; from += 1000 {
		if err := s.node("KH").Step(func(c *replica.Copy, set replicatest.Set) error {
			for n := from; n < min(from+1000, listings); n++ {
				id := fmt.Sprintf("%c%07d", "AR"[n/997%2], n)
				if _, err := c.Author(set, signer, s.fed.Draft(protocol.Put, protocol.ListingID(id).Key()), listing(id, "Dryer "+id).Encode()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	s.restart()
	s.provider.batch = batch
	s.provider.cfg.PageSize = 100
	return s
}

// BenchmarkListRecords measures a page of 100 in the middle of 100,000 listings, and an incremental harvest of 10 of them.
func BenchmarkListRecords(b *testing.B) {
	s := filled(b, 100_000)
	if err := s.provider.CatchUp(context.Background()); err != nil {
		b.Fatal(err)
	}
	s.clock += 10
	for n := range 10 {
		id := fmt.Sprintf("A%07d", n)
		s.put("KH", id, "Dryer, revised")
	}
	s.settled()
	for _, c := range []struct{ name, from, set string }{
		{"all", "", ""}, {"set", "", "kind:TO"}, {"empty", "", "kind:FN"}, {"incremental", stampOf(start + 10), ""},
	} {
		for _, verb := range listVerbs() {
			b.Run(c.name+"/"+verb, func(b *testing.B) {
				token, bytes := "", 0
				b.ReportAllocs()
				for b.Loop() {
					q := url.Values{"verb": {verb}, "metadataPrefix": {"oai_dc"}}
					if c.from != "" {
						q.Set("from", c.from)
					}
					if c.set != "" {
						q.Set("set", c.set)
					}
					if token != "" {
						q = url.Values{"verb": {verb}, "resumptionToken": {token}}
					}
					r := httptest.NewRequest(http.MethodGet, "/oai?"+q.Encode(), nil)
					w := httptest.NewRecorder()
					s.provider.ServeHTTP(w, r)
					bytes += w.Body.Len()
					b.StopTimer()
					got := s.read(w.Code, w.Body.Bytes(), "")
					s.answers, token = nil, ""
					for _, t := range []*tokElement{got.RecToken, got.IDToken} {
						if t != nil {
							token = t.Token
						}
					}
					b.StartTimer()
				}
				b.ReportMetric(float64(bytes)/float64(b.N), "B/page")
			})
		}
	}
}

// BenchmarkCatchUp measures bringing 20,000 listings into an empty chronicle, and comparing them again.
func BenchmarkCatchUp(b *testing.B) {
	const listings = 20_000
	s := filled(b, listings)
	catch := func(b *testing.B, before func()) {
		for b.Loop() {
			b.StopTimer()
			before()
			s.clock += 10
			b.StartTimer()
			if err := s.provider.CatchUp(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(listings*float64(b.N)/b.Elapsed().Seconds(), "listings/s")
	}
	forget := func(prefix string) {
		var keys []string
		if err := s.store.View(func(tx *store.Tx) error {
			return tx.Rows(store.TableChronicle, prefix, "", func(key string, _ []byte) (bool, error) {
				keys = append(keys, key)
				return true, nil
			})
		}); err != nil {
			b.Fatal(err)
		}
		for len(keys) > 0 {
			n := min(len(keys), 5000)
			if err := s.store.Update(func(tx *store.Tx) error {
				for _, k := range keys[:n] {
					if err := tx.DeleteRow(store.TableChronicle, k); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			keys = keys[n:]
		}
	}
	b.Run("empty", func(b *testing.B) { catch(b, func() { forget("d/"); forget("t/"); forget("c/") }) })
	b.Run("compare", func(b *testing.B) { catch(b, func() { forget("c/") }) })
	var rows, size int
	if err := s.store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableChronicle, "", "", func(key string, value []byte) (bool, error) {
			rows, size = rows+1, size+len(key)+len(value)
			return true, nil
		})
	}); err != nil {
		b.Fatal(err)
	}
	b.Run("nothing", func(b *testing.B) {
		catch(b, func() {})
		b.ReportMetric(float64(size)/listings, "B/listing")
		b.ReportMetric(float64(rows)/listings, "rows/listing")
	})
}
