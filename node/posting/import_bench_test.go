package posting

import (
	"fmt"
	"testing"

	"github.com/asean-tmh/tmh/node/audit"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// sourced are listings of an import: the texts follow from the number and the edition.
func sourced(from, to, edition int) []Imported {
	all := make([]Imported, 0, to-from)
	for i := from; i < to; i++ {
		c := titled(fmt.Sprintf("Imported offer %d, edition %d", i, edition))
		all = append(all, Imported{
			Source: fmt.Sprintf("oai:repository.example:%06d", i), Content: c,
			Hash: protocol.Sum(fmt.Appendf(nil, "%d/%d", i, edition)),
		})
	}
	return all
}

// BenchmarkImport gives rows a second, as a job sends them: in groups of 256, noting its progress.
func BenchmarkImport(b *testing.B) {
	h := newHouseOf(b, b.TempDir(), 64<<20)
	h.trust("oITC")
	h.Postings.cfg.Audit = func(*store.Tx, Event) error { return nil }
	batch := Batch{Organisation: "oITC", Origin: "benchmark"}
	note := func(tx *store.Tx, all []ImportResult) error {
		return tx.SetRow(store.TableIntake, "progress", fmt.Append(nil, len(all)))
	}
	at := 0
	run := func(b *testing.B, want ImportOutcome, next func(i int) []Imported) {
		for i := 0; b.Loop(); i++ {
			results, err := h.Import(b.Context(), editor, batch, next(i), note)
			if err != nil || len(results) != 256 || results[0].Outcome != want || results[255].Outcome != want {
				b.Fatal(len(results), results[0], err)
			}
		}
		b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("new", func(b *testing.B) {
		run(b, ImportCreated, func(int) []Imported { at += 256; return sourced(at-256, at, 0) })
	})
	b.Run("unchanged", func(b *testing.B) {
		run(b, ImportUnchanged, func(i int) []Imported { j := i * 256 % at; return sourced(j, j+256, 0) })
	})
	b.Run("new, audited", func(b *testing.B) {
		log := audit.New(member, h.now)
		h.Postings.cfg.Audit = func(tx *store.Tx, e Event) error {
			return log.Append(tx, audit.Event{Kind: audit.Person, Actor: string(e.Actor), Action: e.Action, ResourceKind: "posting", Resource: string(e.ID), Detail: e.Detail})
		}
		run(b, ImportCreated, func(int) []Imported { at += 256; return sourced(at-256, at, 0) })
		h.Postings.cfg.Audit = nil
	})
	edition := 0
	b.Run("changed", func(b *testing.B) {
		run(b, ImportChanged, func(i int) []Imported { edition++; j := i * 256 % at; return sourced(j, j+256, edition) })
	})
	b.Run("plan", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			j := i * 256 % at
			if _, err := h.Plan(editor, batch, sourced(j, j+256, -1)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
