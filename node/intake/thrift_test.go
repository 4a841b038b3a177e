package intake

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// What is left behind is collected, however patient the collector is otherwise, and not before it is worth it.
func TestThrift(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	var before, small, large runtime.MemStats
	runtime.ReadMemStats(&before)
	thrift()
	runtime.ReadMemStats(&small)
	var left []byte
	for range 2 + slack>>22 {
		left = make([]byte, 4<<20)
		left[0] = 1
	}
	runtime.KeepAlive(left)
	thrift()
	runtime.ReadMemStats(&large)
	if small.NumGC != before.NumGC {
		t.Error("collected where nothing was left behind")
	}
	if large.NumGC == small.NumGC || large.HeapAlloc > before.HeapAlloc+slack/2 {
		t.Errorf("collected %d times, %d MiB in use: want what was left behind gone", large.NumGC-small.NumGC, large.HeapAlloc>>20)
	}
}
