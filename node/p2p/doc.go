// Package p2p carries what members say to each other: gossip, and streams from one member to another. It is the only
// importer of libp2p, and it knows who a peer is, but neither the store nor what a listing means.
//
// # Who may talk
//
// A peer is admitted if its id stands in the card of a current member (protocol.Roster); everybody else is refused by
// the gater once its handshake has shown who it is, so that a stranger's own dial may seem to succeed for a moment.
// SetRoster applies to live connections too. Addresses come from cards alone: no DHT, no peer exchange, no discovery.
//
// # Gossip
//
// Topics, F being the first 16 hexadecimal digits of the federation id:
//
//	/tmh/F/changes/1   one zstd frame (RFC 8878) of protocol.EncodeGossip
//	/tmh/F/heads/1     protocol.SignedHead.Bytes
//	/tmh/F/control/1   protocol.Evidence.Encode
//
// Messages carry neither author nor envelope signature: the origin's own signature is in the payload, so that a message
// is the same whoever passes it on. Its id is the first 20 bytes of SHA-256 over topic, a zero byte and data. A message has at
// most protocol.MaxGossip bytes, and a changes message at most protocol.MaxBatch + protocol.MaxChange decompressed.
//
// What arrives is verified before it is passed on or delivered. Rejected, which costs the forwarder reputation: what no
// honest forwarder could have taken for valid (malformed, another federation's, no member, a bad signature). Ignored,
// neither passed on nor held against anybody: what another roster could explain (a newer charter or card, a key not
// valid at this position, a non-member under an older charter, a sealed position). Order and repetition are not
// examined here. Gossip is a hint: full queues drop silently, and whoever needs certainty asks by stream.
//
// # Streams
//
// A stream carries one request and its answer, each message in a frame:
//
//	length   unsigned varint in its shortest form, at most 4 bytes: the bytes that follow; never 0
//	message  one or more zstd frames, decompressed at most the bound below
//
//	protocol         request                        answer
//	/tmh/sync/1      protocol.Request, 64 KiB       protocol.Answers until one is Last or Refused, MaxAnswer each
//	/tmh/charter/1   {1: from version}, 64 bytes    one protocol.Papers, MaxPapers
//	/tmh/record/1    {1: protocol.SignedEntitlement, 2: hash}, MaxEntitlement + 128; its answer is below
//
// Bodies in braces are in the canonical form of package protocol: fields ascend, once each but for parts, defaults absent. Of a
// fault only its code travels (with the message, for records); the cause stays in the log. A request that cannot be read is
// answered by a reset.
//
// Messages of an answer about a record are {1: code, 2: message, 3: part, up to 4 times, 4: summary, 5: piece, 6: last}, of at
// most MaxFullRecord + 4 KiB. A request without a hash is answered by one message: code and message; or the parts, from the lowest
// level, MaxFullRecord bytes together, and the summary where the record is by invitation. A request for the document of a hash is
// answered by code and message; or by its bytes in pieces of 64 KiB, a message each, of which only the last may be shorter, and
// then by a message with nothing but last, which is 1. A stream that is reset before has no document.
//
// A request must arrive within 10 s, and every message of an answer within 30 s of the one before: what the receiver
// does between two messages counts. Per peer and protocol a node serves 4 streams at a time and lets 4 more wait for up
// to 10 s; the asking side holds back what is beyond 4.
//
// # Bounds
//
// Everything that a member may take of a node's time has a budget of that member: a bucket that holds a burst and fills up by
// so much a second. What is beyond is not worked on. Honest nodes stay below; what gossip leaves out so, pull brings.
//
//	                                                  a second     burst
//	gossip, of the member that forwards:
//	  RPCs                                                5,000    30,000
//	  bytes                                               8 MiB    32 MiB
//	  messages on changes / heads / control    1,000 / 300 / 20    10,000 / 2,000 / 500
//	  changes verified                                    5,000    10,000
//	gossip, of the origin, once its signature is verified:
//	  changes above the highest position seen             1,500     3,000
//	  changes at or below it                              1,500     3,000
//	  newer / not newer head statements                     2 / 2    60 / 60
//	  evidence against it                                     2        64
//	streams that are opened: sync / charter / record   200 / 1 / 40    2,000 / 64 / 400
//	requests: vector, heads, own                              1        32 each
//	  changes                                               100     1,000
//	  buckets                                               0.1        16
//	  forks                                                   1        64
//	  record                                                 20       200
//	  document                                                2        60
//
// An origin's own outbox cannot gossip more than 64 changes each 50 ms and 50 a second one by one; that a position was seen
// before is charged apart and to nobody's shame, since anybody can send again what an origin signed once. Messages beyond the
// budget of who sends them are dropped before gossipsub remembers them; those beyond the origin's are ignored. A request beyond
// the budget is refused as unavailable, a stream reset with the code for a limited rate.
//
// Whoever waits for the other side of a stream wants at least 32 KiB for every 30 s that it waits, until the last message. An
// answer for which one message is enough has one. A feed has at most 16 messages without a change, and twice as many changes as
// the charter grants its origin records.
//
// Who is beyond a budget, sends what no honest member could have taken for valid, or keeps a stream waiting is counted in
// tmh_p2p_member_faults_total by member and fault, and named in the log at once and then once a minute with the number since.
// The faults are those of faults.go. Of "slow" and "unread" a bad network may be the cause: they say where to look.
//
// # Connections
//
// Every node dials every peer of every other member and goes on trying, 1 to 12 s apart. Of two peers the one with the
// lower id dials at once and the other 3 s later, so that usually one connection comes about; either is able to.
//
// A QUIC connection on which no packet came for 4 s is sent an empty datagram, which the other side's QUIC acknowledges, and is
// closed after 12 s of silence: where UDP begins to be dropped, the way to TCP is free within 20 s and not after QUIC's own 30 s.
package p2p
