// Package audit is the hash-chained log of who did what.
package audit
