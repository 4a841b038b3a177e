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
//	/tmh/F/control/1   nothing yet: everything is ignored
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
//	/tmh/record/1    {1: record key}, 256 bytes     {1: code, 2: message, 3: bytes}, MaxFullRecord + 4 KiB
//
// Bodies in braces are in the canonical form of package protocol: fields ascend, once each, defaults absent. A record's
// answer has either code and message or bytes. Of a fault only its code travels (with the message, for records); the
// cause stays in the log. A request that cannot be read is answered by a reset.
//
// A request must arrive within 10 s, and every message of an answer within 30 s of the one before: what the receiver
// does between two messages counts. Per peer and protocol a node serves 4 streams at a time and lets 4 more wait for up
// to 10 s; the asking side holds back what is beyond 4.
//
// # Connections
//
// Every node dials every peer of every other member and goes on trying, 1 to 12 s apart. Of two peers the one with the
// lower id dials at once and the other 3 s later, so that usually one connection comes about; either is able to.
package p2p
