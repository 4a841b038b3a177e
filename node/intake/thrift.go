package intake

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// slack is how much memory an import may leave behind before it is collected. A node lets garbage grow to several times of what
// is in use, for the sake of quick answers; what an import leaves are mostly the database's write buffers, some 80 MB each,
// which are collected in no time. It is looked at by the clock, since the database makes most of them while an import waits for it.
const (
	slack       = 96 << 20
	thriftEvery = 50 * time.Millisecond
)

// thrifty looks after memory until the function that it returns is called.
func thrifty() (stop func()) {
	end := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		t := time.NewTicker(thriftEvery)
		defer t.Stop()
		for {
			select {
			case <-end:
				return
			case <-t.C:
				thrift()
			}
		}
	})
	return func() { close(end); done.Wait() }
}

// thrift collects where too much was left behind since the last time.
func thrift() {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() == metrics.KindUint64 && s[1].Value.Kind() == metrics.KindUint64 && s[0].Value.Uint64() > s[1].Value.Uint64()+slack {
		runtime.GC()
	}
}
