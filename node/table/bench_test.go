package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// generate writes a table of 20 columns: ids, texts in three scripts, codes, dates.
func generate(b *testing.B, f Format, rows int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "big."+string(f))
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	to := bufio.NewWriterSize(file, 1<<20)
	w, err := NewWriter(to, f, wideNames())
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows {
		if err := w.Write(wideRow(i)); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), to.Flush()); err != nil {
		b.Fatal(err)
	}
	return path
}

func wideNames() []string {
	names := []string{"id", "title_en", "title_th", "title_vi", "abstract_en"}
	for i := len(names); i < 20; i++ {
		names = append(names, fmt.Sprint("column_", i))
	}
	return names
}

func wideRow(i int) []string {
	cells := []string{fmt.Sprintf("SRC-%07d", i), fmt.Sprintf("Bamboo fibre composite number %d for light panels", i), fmt.Sprintf("วัสดุผสมเส้นใยไผ่ %d", i),
		fmt.Sprintf("Vật liệu sợi tre số %d", i), fmt.Sprintf("A panel of bamboo fibre and resin, tested at scale %d, with “quotes”, commas\nand a second line of text that goes on for a while to be of a usual length.", i*31)}
	for j := len(cells); j < 20; j++ {
		cells = append(cells, fmt.Sprintf("value %d of %d", j, (i*j)%5000))
	}
	return cells
}

// sharedBook is what a spreadsheet saves: texts once, in a table of strings, cells pointing to them.
func sharedBook(b *testing.B, rows int) string {
	b.Helper()
	x := excelize.NewFile()
	defer x.Close()
	for i := range rows {
		cells := wideRow(i)
		if i == 0 {
			cells = wideNames()
		}
		if err := x.SetSheetRow("Sheet1", fmt.Sprint("A", i+1), &cells); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(b.TempDir(), "shared.xlsx")
	if err := x.SaveAs(path); err != nil {
		b.Fatal(err)
	}
	return path
}

func BenchmarkRead(b *testing.B) {
	const rows = 100_000
	for _, f := range []Format{CSV, XLSX, JSONL, "shared"} {
		b.Run(string(f), func(b *testing.B) {
			var path string
			if f == "shared" {
				path = sharedBook(b, rows+1)
			} else {
				path = generate(b, f, rows)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(info.Size())
			runtime.GC()
			var most atomic.Uint64
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most.Store(max(most.Load(), m.HeapAlloc))
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
			}()
			for b.Loop() {
				r, err := Open(path, "", Limits{Temp: b.TempDir()})
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				for ; ; n++ {
					row, err := r.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil || row.Err != nil || len(row.Fields) != 20 {
						b.Fatal(err, row)
					}
				}
				r.Close()
				if n != rows {
					b.Fatal(n, " rows")
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			close(stop)
			<-done
			b.ReportMetric(float64(most.Load())/(1<<20), "peak-MiB")
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, f := range Formats() {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			w, err := NewWriter(io.Discard, f, wideNames())
			if err != nil {
				b.Fatal(err)
			}
			row := wideRow(7)
			n := 0
			for b.Loop() {
				if n++; f == XLSX && n%1_000_000 == 0 {
					w, _ = NewWriter(io.Discard, f, wideNames())
				}
				if err := w.Write(row); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
