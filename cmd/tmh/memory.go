package main

import (
	"os"
	"runtime/debug"
)

// A node's own heap is small, since the index and most of the database are mapped files; collected at Go's usual pace it would
// be collected several times a second under load, at the expense of the slowest answers. So it may grow to five times of what
// is in use, as long as all of it stays below the limit.
const (
	gcPercent     = 400
	defaultMemory = 1 << 30
)

// tuneMemory sets pace and limit of collection. What the environment says (GOGC, GOMEMLIMIT) stays.
func tuneMemory(limit uint64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	switch {
	case limit > 0:
		debug.SetMemoryLimit(int64(limit)) //nolint:gosec // the configuration bounds it
	case os.Getenv("GOMEMLIMIT") == "":
		debug.SetMemoryLimit(defaultMemory)
	}
}
