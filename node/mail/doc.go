// Package mail writes and sends a node's mail: invitations, verifications, password resets, reminders, decisions and notices.
//
// A message is rendered and put into a durable queue in the caller's transaction, so it exists exactly where what it tells
// happened. One sender hands the queue to an SMTP server, with growing pauses, and gives up after three days.
//
// Delivery is at least once. A message is marked as tried before it is sent and deleted after the server took it; where the
// node dies, or the connection breaks, between the server's taking it and the node's hearing so, it is sent again, with the
// same Message-ID, by which most receivers show it once. Nothing is sent while the disk is too full to mark it.
//
// Rows of store.TableMail: "n" how many messages wait; "q/", when it is due in milliseconds (8 bytes, big-endian) and a
// random id: a message that waits; "f/" and the same: one that was given up, without its text.
//
// Queued messages hold links that let somebody in. They leave the database's files with what else was superseded
// (store.Scrub); every such link ends by itself. After a restore, Clear drops what was queued then.
package mail
