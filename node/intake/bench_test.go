package intake

import (
	"bytes"
	"testing"
	"time"
)

// BenchmarkJob imports a CSV of 10,000 rows: new, unchanged, a tenth changed, and as a dry run.
func BenchmarkJob(b *testing.B) {
	const rows = 10_000
	all := offers(0, rows)
	changed := offers(0, rows)
	for i := 0; i < rows; i += 10 {
		changed[i].name += ", improved"
	}
	for _, bb := range []struct {
		name, before, file string
		dry                bool
	}{
		{"new", "", file(all...), false},
		{"unchanged", file(all...), file(all...), false},
		{"tenth", file(all...), file(changed...), false},
		{"dry", file(all...), file(changed...), true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				o := newOffice(b, b.TempDir())
				o.keep("list", simple())
				o.run()
				if bb.before != "" {
					o.importing(bb.before, UploadOptions{Mapping: "list"})
				}
				b.StartTimer()
				begun := time.Now()
				j, err := o.Upload(b.Context(), editor, org, bytes.NewReader([]byte(bb.file)), UploadOptions{Filename: "x.csv", Mapping: "list", DryRun: bb.dry})
				if err != nil {
					b.Fatal(err)
				}
				j = o.until(j.ID, Done, Failed)
				if j.State != Done || j.Counts.Rows != rows || j.Counts.Refused > 0 {
					b.Fatalf("%+v", j)
				}
				b.ReportMetric(rows/time.Since(begun).Seconds(), "rows/s")
				b.StopTimer()
				o.halt()
				b.StartTimer()
			}
		})
	}
}
