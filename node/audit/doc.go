// Package audit is the log of who did what on a node: append-only, hash-chained, and free of names.
//
// # Entries
//
// An entry lies in store.TableAudit under its number, 8 bytes, big-endian; numbers begin at 1 and leave none out. The row is
// the entry's body and, after it, the entry's hash:
//
//	hash = SHA-256( "tmh/audit/1" 0x00 | text member id | body )
//	body = number        8 bytes
//	       time          8 bytes, milliseconds since 1970 in UTC
//	       actor kind    text: person, token, operator or node
//	       actor         text: a pseudonym, empty for operator and node
//	       token         text: the id of the token that was used, or empty
//	       action        text
//	       resource kind text
//	       resource      text: an id; of a person, the pseudonym
//	       details       1 byte, how many, then of each a text (key) and a text (value), keys in ascending order, each once
//	       before        1 byte, 0, or 1 and 32 bytes: hash of what was there
//	       after         1 byte, 0, or 1 and 32 bytes: hash of what is there now
//	       previous      32 bytes: hash of the entry before, zeros for the first
//
// A number is big-endian. A text is its length in 2 bytes, and UTF-8. The member id makes every entry this node's: it cannot be
// put into another node's log. Export writes every field, so whoever has the lines can compute every hash again.
//
// # What verification finds, and what it cannot
//
// Verify finds an entry that was changed, left out, put in, moved or swapped, as long as not everything behind it was computed
// anew as well: the chain holds no secret. The newest number and hash also stand in a row of store.TableSetting, written in the
// same transaction, so entries cut off the end are found by that. Whoever can write the database can cut off the end and set
// that row back too, or compute the whole chain anew; nothing inside the database can tell. That wants an anchor outside: the
// newest hash in the guard file, in the header of the daily backup, or with somebody else. Head gives what to anchor, and
// VerifyFrom takes the anchor. A restored backup is such a cut, made openly: let the node append an entry that says so.
//
// # People
//
// The chain holds pseudonyms. store.TablePerson says which person a pseudonym stands for, and Erase forgets it; the chain
// stays as it is, and still verifies. Superseded values stay in the database's files until store.Scrub, and in older backups
// until those are deleted: erasing a person again belongs to restoring one. What callers put into the details must name
// nobody and hold no secret; this package cannot tell.
package audit
