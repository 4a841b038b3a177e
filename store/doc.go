// Package store is what a node remembers: one Badger database, the key layout of which stands in keys.go, and the guard
// file beside it.
//
// There is one writer at a time, and one transaction holds everything of a batch: records, feed index and frontier. A
// transaction is synced to disk before Update returns. An acknowledgement leaves the node only after the guard file was
// synced too.
//
// A full disk would kill the process, since Badger maps its files: the store takes no writes with less free than
// Config.MinFree or what Badger may need to finish what was accepted, whichever is more, and refuses to open where even
// that would not be safe. It takes writes again by itself. space.go says how much that is and why.
package store
