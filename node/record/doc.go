// Package record shows full records to whom they are meant for.
//
// A full record stays at its origin. Its parts, one a level, are fetched from there by any member's node for one of its readers:
// the node signs what it asserts of the reader (protocol.Entitlement), the origin checks that, notes it down and serves what the
// reader may see. Reader is the asking side, Server the origin's; Grants are the invitations that level invited wants. Every
// decision is one of access.Can.
//
// What a member asserts of its own reader, nobody else can check: levels registered and restricted rely on its honesty. So the
// origin notes who was shown what, and shows a member's readers only so much a day.
//
// Rows, by table; D is a day as 2006-01-02, K the id of a listing, L a level:
//
//	TableGrant      K/H              a grant; H names who is invited
//	TableCopy       c/O/K/L          when it was fetched (Unix seconds, 8 bytes), and the part as the origin O sent it
//	                t/S/O/K/L        size and hash of the part; S is the same time in 10 digits
//	TableAccessLog  D/s/M/L/K/R      member M's reader R was shown the parts up to level L
//	                D/d/M/L/K/R/H    the same of the document H
//	                D/c/O/L/K/R      this node's reader R was shown its copy of the record of O's, which could not be asked
//
// A day's second reading of the same by the same reader adds nothing to the log.
package record
