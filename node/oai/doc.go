// Package oai lets harvesters draw the whole federated catalogue from any node, by OAI-PMH 2.0.
//
// # What is served
//
// A record is a listing of any origin, under the identifier oai:NAMESPACE:ORIGIN/ID, the same at every node. Its sets are
// origin:ORIGIN and kind:KIND. Deleted records are persistent: a listing that was listed once is listed as deleted for ever
// once it is withdrawn, on hold, replaced by something that is no valid listing, left behind by an epoch, or its origin has
// left the federation. A listing that comes back from a hold is a record again. Expired listings are records like any other.
//
// # Datestamps
//
// A datestamp says when this node took the record as it is now into its chronicle, never when its origin signed it: so a
// harvester that asks for what is new since it last asked misses nothing that this node learnt late. Only proven copies are
// followed, and what is listed is what was committed in seconds that are over: no row with such a datestamp is written any
// more. A response's responseDate is at most the second after the last one shown, so it serves as the next from.
//
// # The chronicle
//
// It is rows of store.TableChronicle, written by this package alone. Times are Unix seconds; numbers are big-endian.
//
//	key                          value
//	d/ORIGIN/ID                  version 1, deleted 1 byte, kind 2 bytes ("--": not known), time 8, mark 8 (of the header)
//	t/ORIGIN/KIND/TIME/ID        deleted 1 byte; TIME in 10 hexadecimal digits. One a d row: the order of lists
//	c/ORIGIN                     epoch 8, seq 8, header 32: how far the origin's copy was followed
//	m                            first time ever written 8, last time that may have been shown as over 8
//
// The rows of an origin and its cursor are written in one transaction. Where a cursor does not lead on to what is held (an
// epoch was opened, withdrawals were forgotten before they were seen, a member left), every row of the origin is compared
// with the store, so no way in which a copy may be replaced has to be known here. Losing the chronicle is safe: everything
// is then as new.
package oai
