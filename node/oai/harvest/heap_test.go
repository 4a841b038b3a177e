package harvest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The most memory that the longest answers take while they are read, beyond what there was: nothing here may be of another order.
func BenchmarkHeapOfHostile(b *testing.B) {
	record := func(fields string) string {
		return "<record><header><identifier>a</identifier></header><metadata><d>" + fields + "</d></metadata></record>"
	}
	dense, small := record(strings.Repeat("<t>x</t>", maxFields-10)), record("<t>x</t>")
	for name, text := range map[string]struct{ head, repeated, tail string }{
		"dense": {"", dense, ""}, "broken and dense": {"", dense, "<a></b>"}, "small records": {"", small, ""}, "broken small records": {"", small, "<a></b>"},
		"long values": {"", record("<t>" + strings.Repeat("x", maxMetadata-100) + "</t>"), ""}, "attributes": {"", record("<t " + strings.Repeat("a='' ", 12000) + ">x</t>"), ""},
		"token": {"<resumptionToken>", "x", "</resumptionToken>"}, "spaces": {"", " ", ""}, "ampersands": {"", "&", ""}, "Latin": {"", "\xe4", ""},
		"CDATA": {"<![CDATA[", "<", "]]>"}, "comments": {"", "<!---->\n", ""}, "sets": {"</ListRecords><ListSets>", "<set><setSpec>a</setSpec></set>", "</ListSets><ListRecords>"},
	} {
		b.Run(name, func(b *testing.B) {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			fmt.Fprint(z, `<?xml version="1.0" encoding="iso-8859-1"?><OAI-PMH><ListRecords>`, text.head)
			for n := len(text.repeated); n < maxAnswer-1000; n += len(text.repeated) {
				_, _ = z.Write([]byte(text.repeated))
			}
			fmt.Fprint(z, text.tail, "</ListRecords></OAI-PMH>")
			_ = z.Close()
			c, s := repository(b, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(packed.Bytes())
			})
			b.SetBytes(maxAnswer)
			heap := func() uint64 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			runtime.GC()
			before := heap()
			var peak atomic.Uint64
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for {
					select {
					case <-stop:
						return
					case <-time.After(2 * time.Millisecond):
						peak.Store(max(peak.Load(), heap()))
					}
				}
			}()
			for b.Loop() {
				_, _ = c.Page(b.Context(), s, Identity{}, time.Time{}, "")
			}
			close(stop)
			<-stopped
			b.ReportMetric(float64(peak.Load()-min(before, peak.Load()))/(1<<20), "MB-peak")
		})
	}
}
