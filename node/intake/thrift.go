package intake

import (
	"runtime"
	"runtime/metrics"
)

// slack is how much memory an import may leave behind before it is collected. A node lets garbage grow to several times of what
// is in use, for the sake of quick answers; what an import leaves are mostly the database's write buffers, some 80 MB each,
// which are collected in no time.
const slack = 96 << 20

// thrift collects where too much was left behind since the last time.
func thrift() {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() == metrics.KindUint64 && s[1].Value.Kind() == metrics.KindUint64 && s[0].Value.Uint64() > s[1].Value.Uint64()+slack {
		runtime.GC()
	}
}
