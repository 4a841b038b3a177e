// Package protocol is what members of a federation say to each other: formats, signatures and limits. It does no I/O.
// This comment is the specification; testdata holds a conformance corpus for it, and docs/PROTOCOL.md explains both to
// those who write another implementation.
//
// # Wire form
//
// Every message is a sequence of fields in the encoding of protocol buffers, of which only a part is allowed, so that
// one value has one encoding. A field is a tag and a value. The tag is a varint: field number times 8, plus wire type.
// Wire type 0 is a number: a varint. Wire type 2 is bytes: a varint length, and so many bytes. A varint is 7 bits a
// byte, the lowest first, with the highest bit set on all bytes but the last. Strict reading refuses:
//
//	truncated   a tag, number or length that ends early; a length that points beyond the end
//	varint      a varint not in its shortest form, or over 64 bits
//	unknown     field number 0 or above 2^29-1; a field that the message does not have (bodies apart, see below)
//	order       a field number below the one before
//	repeated    a second field of a number that is not marked as repeated here
//	wire-type   another wire type than 0 and 2, or another one than the field's
//	zero        a number 0; in a single field, empty bytes; 32 zero bytes where a hash may be absent
//	length      a hash that has not 32 bytes, a key not 32, a key id not 8, a signature not 64
//	too-large   a number over 2^53-1; a string, list or message over its limit
//	text        a string that is not UTF-8
//
// So zero, empty and false are written by leaving the field out. Elements of a repeated bytes field may be empty as far
// as the wire form goes. A nested message obeys the same rules. Which of several faults is reported is not specified.
//
// In the tables below: num is a number; str(n) a string of at most n bytes; bytes(n) at most n bytes; hash 32 bytes, a
// SHA-256; rep(n) means repeated at most n times. A field is required where its line says so; otherwise it may be absent.
// A time is a num of seconds since 1970-01-01T00:00:00Z, at most 253402300799 (9999-12-31T23:59:59Z); a day a num of
// days since 1970-01-01, at most 2932896. A signed message is signed, kept and passed on as the bytes that arrived.
//
// Bodies (listing, tombstone, and the nested text and organisation), and parts of full records with all that is nested in
// them, are open to later versions: fields above the known ones are accepted, if they keep the rules of the wire form (they
// may be repeated), and stay in the bytes. All other messages are closed.
//
// # Names
//
//	member id    2 to 16 of A-Z 0-9, beginning with a letter
//	record key   1 to 128 bytes of 0x21 to 0x7e: "listing/" and a listing id, or "report/YYYY-MM/rN", or "epoch/N"
//	listing id   1 to 64 of A-Z a-z 0-9 - . _ ~, not "." and not ".."
//	country      two of A-Z
//	position     (epoch, seq); ordered by epoch, then seq; the first change is at 1.1; seq never goes back, not even where
//	             an epoch begins
//
// One line of text is UTF-8 without control characters (category Cc), without U+202A to U+202E, U+2066 to U+2069 and
// U+FEFF, and without noncharacters that end in FFFE or FFFF. Several lines may also hold U+000A.
//
// # Keys and signatures
//
// Keys and signatures are ed25519, verified as Go's crypto/ed25519 does: S must be below the group order, the equation
// is the one without cofactor, and R is compared as bytes. A public key in a charter or card must be the one (canonical)
// encoding of a point, and eight times that point must not be the identity (no small order): refused as key.
//
// A signature covers a domain and then the exact bytes of the message. Domains are ASCII and end in one zero byte:
//
//	tmh/change/1\0    header of a change, by a record key of its origin
//	tmh/head/1\0      head statement, by a record key of its origin
//	tmh/charter/1\0   charter, by governance keys
//	tmh/card/1\0      member card, by the member's governance key
//	tmh/epoch/1\0     opening of an epoch, by the governance key of its origin
//	tmh/key/1\0       begins the input of a key id (nothing is signed)
//	tmh/set/1\0       begins the input of a set element (nothing is signed)
//
// The key id is the first 8 bytes of SHA-256 over "tmh/key/1\0" and the 32 bytes of the key. The federation id is the
// SHA-256 of the bytes of charter 1 (the signed bytes, signatures not included).
//
// # Change
//
// A change is {1: header bytes, 2: signature, 3: body bytes(16384)}; without field 3 it is a signed header. Header and
// signature are required. A change has at most 17,536 bytes, a signed header 1,152, a header 1,024. The header:
//
//	1  federation       hash, required
//	2  origin           str(16), a member id
//	3  key              8 bytes, required and not zero: id of the record key that signed
//	4  charter_version  num, required: the charter that the origin held
//	5  epoch            num, required
//	6  seq              num, required
//	7  prev_hash        hash: SHA-256 of the header before; where kind is epoch, of the header at the base, and absent if
//	                    there is none; else absent at 1.1 and only there
//	8  record_key       str(128), a record key: "epoch/" and the epoch in decimal if kind is epoch; no other kind has a
//	                    record key that begins with "epoch/"
//	9  kind             1 put, 2 withdraw, 3 epoch: opens epoch 2 or a later one
//	10 prev_seq         num below seq: the change of the same record that this one replaces, absent for none; required
//	                    of a withdrawal, and absent if kind is epoch
//	11 body_len         num, at most 16,384: bytes of the body
//	12 body_hash        hash, required: SHA-256 of the body, also of an empty one
//	13 floor            num below seq: withdrawals at or below it have left the set
//	14 count            num, required, at most seq: size of the set after this change
//	15 state_digest     hash, required: digest of the set after this change
//
// What is required and absent is refused as required; origin, record_key, kind, and the comparisons as value; body_len as
// too-large. Field 3 must have the length and hash that the header binds: body. It is absent where the body is empty.
// The body of a put under "listing/" is a listing, of a withdrawal a tombstone, of kind epoch an opening, else opaque. A
// listing or tombstone that is not what it should be makes its record unusable, not its change invalid: it is judged after
// replication. An opening is part of what makes its change valid.
//
// A change is verified in this order, after its form:
//
//  1. federation is ours, else federation
//  2. charter_version is not above the charter in force here, else charter
//  3. origin is a member under the charter in force, else origin
//  4. a card of the origin is known, else charter
//  5. the card's range that holds the position has a key of this id, else key
//  6. the signature verifies under that key, else signature
//  7. at the last position of a closed range, the SHA-256 of the header is the range's seal, else fork
//  8. if kind is epoch, the body is an opening that was countersigned for this change: see below
//
// Its place in the chain is judged by the receiver's copy: see protocol/replica.
//
// # The set and its digest
//
// The set of an origin holds one element for the newest change of every record key, withdrawn ones included, but for the
// withdrawals at or below floor. The change that opened an epoch is an element for ever. An element is the bytes
//
//	"tmh/set/1\0", 1 byte length of origin, origin, 8 bytes epoch, 8 bytes seq (both big-endian), 1 byte kind,
//	1 byte length of record key, record key, 32 bytes body_hash
//
// The state is 1,024 lanes of 16 bits, at first zero: LtHash16 (Lewi, Kim, Maykov, Weis, ePrint 2019/227). An element's
// hash is the first 2,048 bytes of SHAKE128 over the element, read as 1,024 little-endian lanes. Adding an element adds
// lane by lane modulo 2^16; removing subtracts. The digest is the SHA-256 of the 2,048 bytes of the state, lanes again
// little-endian. A change removes the element of its record key, if there is one, adds its own, removes the withdrawals
// at or below its floor, and states count and digest of the result.
//
// A record lies in one of 256 buckets: the first byte of SHA-256 over its record key. The digest of a bucket is that of a
// set which has the elements of this bucket only.
//
// # Listing
//
// The body of a put under "listing/", at most 16,384 bytes:
//
//	1  id             str(64), a listing id          12 ford         rep(16): field 1-6, or field "." 1-99 ("2", "2.11")
//	2  kind           1 TO, 2 TR, 3 RD, 4 EX,        13 isic         rep(16): A-U, or that and two digits ("C10")
//	                  5 FC, 6 FN                     14 ipc          rep(16): A-H, and two digits, and A-Z ("C12N")
//	3  country        str(2), a country              15 sdg          rep(16) num, 1 to 17
//	4  region         str(6): country, "-", and      16 published    day
//	                  1 to 3 of A-Z 0-9              17 valid_until  day, not before published
//	5  texts          rep(13) text, at least one     18 url          str(512)
//	6  organisation   message, at most 1,024 bytes   19 full         hash of the full record's public part
//	7  trl            num, 1 to 9                    20 demonstration  1
//	8  ipr            rep(16) word                   21 updated      time
//	9  cooperation    rep(16) word                   22 full_registered  hash of its registered part
//	10 seeks.types    rep(16) word                   23 full_restricted  hash of its restricted part
//	11 seeks.countries  rep(16) country
//
// A word is 1 to 40 of a-z 0-9 and "-". In a list, no code stands twice: repeated. A url begins with http:// or https://
// and a host, and has no space and none of " < > \.
//
//	text          1 lang str(20), a language tag; 2 title, required, not blank, one line of at most 255 characters;
//	              3 value, one line of at most 200; 4 abstract, lines of at most 2,000 characters in all;
//	              5 keywords rep(10), each one line of at most 80, not blank
//	organisation  1 name, one line of at most 200 characters; 2 type, a word; 3 size, a word
//
// Texts ascend by lang (as bytes), each once: order. A language tag is 2 or 3 of a-z, then groups of "-" and 1 to 8
// letters or digits, 20 bytes in all. Characters are Unicode code points; blank means white space only. An empty title,
// keyword or list of texts, and an absent lang, are refused as required; other faults as text, too-large and value.
//
// # Part of a full record
//
// The full record of a listing stays at its origin, which serves it in parts, one a level: 1 public, 2 registered, 3
// restricted, 4 invited. A part shows the sections of its own level; a reader of a level is served the parts of the levels
// below too. Documents may stand in several parts, each other section in one. The SHA-256 of a part stands in the summary,
// but for level 4: a listing by invitation has that part alone, and is in no catalogue. The salt is random, and another one
// whenever the part says something else: so the hash does not tell what stands in a part that could be guessed. A part has
// at most 262,144 bytes, its sections (what is known of fields 5 to 18) at most 258,048:
//
//	1  listing     str(64), a listing id            10 partner       message: partner
//	2  level       num, required                    11 organisation  message: owner
//	3  salt        32 bytes, required, not zero     12 people        rep(32) person
//	4  audience    message: audience; required of   13 contact       message: contact
//	               level 3, and not empty; absent   14 funding       message: funding
//	               of others                        15 publications  rep(50) doi
//	5  texts       rep(13) text                     16 documents     rep(20) document
//	6  comparison  rep(20) comparison               17 provenance    message: provenance
//	7  stage       lines(1000)                      18 controls      1 export 1, 2 nagoya 1
//	8  rights      rep(32) right
//	9  terms       message: terms
//
// In these tables line(n) is one line of at most n characters, name(n) one that is required and not blank, lines(n) is
// several lines; list(n) is rep(n) without repetition. As strings they have at most four bytes a character.
//
//	audience    1 types list(16) word, 2 countries list(16) country
//	text        1 lang, as in a listing; 2 description lines(4000), 3 problem lines(2000), 4 advantages lines(2000), 5
//	            applications rep(20) name(200); at least one of 2 to 5: required. Texts ascend by lang, each once: order
//	comparison  1 metric name(200), 2 unit line(40), 3 baseline name(200), 4 ours name(200), 5 evidence lines(1000)
//	right       1 type, a word, required; 2 office, two of A-Z (WIPO ST.3); 3 number line(40); 4 date, a day; 5 status, a word
//	terms       1 models list(16) word, 2 price lines(1000), 3 exclusivity, a word, 4 field line(200), 5 territory line(200)
//	partner     1 types list(16) word, 2 role lines(1000), 3 task lines(1000), 4 area line(200), 5 countries list(16) country
//	owner       1 name line(200), 2 ror, 3 type, 4 size: words, 5 since num, 1000 to 9999, 6 turnover, a word, 7 transnational
//	            1, 8 certifications rep(16) name(200), 9 languages list(13) language tag
//	person      1 name name(200), 2 orcid, 3 role line(200)
//	contact     1 name line(200), 2 email str(254), 3 phone str(40), 4 url, as in a listing
//	funding     1 call line(200), 2 deadline, a time, 3 zone str(64), 4 budget line(200), 5 eligible lines(1000), 6 track, a
//	            word, 7 partners rep(32): 1 name line(200), 2 country, required, 3 type, a word, 4 eligible 1
//	document    1 hash, required, no two alike, 2 name name(120), without / and \, not "." and "..", 3 type, a media type, 4
//	            size num, 1 to 20,971,520, 5 preview, hash
//	provenance  1 system line(200), 2 id line(200), 3 imported, a time, 4 licence line(200)
//	ror         0, six of 0-9 a-z without i l o u, and two digits: 98 - (100 n mod 97), n being the six in base 32
//	orcid       groups of four digits with "-" between; the last is the check of ISO 7064 MOD 11-2, X for ten
//	doi         str(200): "10.", 4 to 9 digits, perhaps more groups of digits after ".", "/", 0x21 to 0x7e; no two that differ
//	            in case only: repeated
//	email       1 to 64 of A-Z a-z 0-9 . ! # $ % & ' * + - / = ? ^ _ ` { | } ~, then "@", then at least two groups of A-Z a-z 0-9
//	            "-" with "." between; no "." at an end of either side, or twice in a row
//	phone       of 0-9 + - ( ) . / and space, at least three of them digits
//	zone        groups of A-Z a-z 0-9 _ + - with "/" between, beginning with A-Z ("Asia/Bangkok")
//	media type  str(100): two groups of a-z 0-9 . + -, with "/" between
//
// What is not well formed is refused as value, what is too long as too-large, what is no such text as text, a name that is
// absent or blank as required.
//
// # Entitlement
//
// What a member asserts of the reader for whom it asks an origin for a full record: {1: entitlement, 2: signature}, both required,
// at most 1,024 bytes. The signature is over "tmh/entitlement/1\0" and the exact bytes of field 1:
//
//	1  federation       hash, required          9  nonce                16 bytes, required, random
//	2  member           str(16), a member id   10  reader               hash: a pseudonym; required of all levels but 1
//	3  key              8 bytes, not zero      11  organisation         hash: a pseudonym
//	4  charter_version  num, required          12  organisation_type    a word
//	5  origin           str(16), a member id   13  country              a country
//	6  record_key       str(128)               14  reader_invitee       hash
//	7  level            num, 1 to 4            15  organisation_invitee hash
//	8  issued_at        time, required
//
// 10 is of levels 2 to 4, 11 to 13 of levels 3 and 4, 14 and 15 of level 4: elsewhere value.
//
//	pseudonym  HMAC-SHA-256 with a secret of the member's node over "tmh/pseudonym/1\0", "reader" or "organisation", a zero byte,
//	           origin, a zero byte, the id
//	invitee    SHA-256 over "tmh/invitee/1\0" and the SHA-256 of each of origin, record key, member, and the e-mail address in
//	           lower case or the organisation's id at the member's node
//
// It is verified in this order: the federation is ours, else federation; charter_version is not above ours, else charter; the
// member is one under the charter in force, else origin; a card of the member is known, else charter; key is the id of the record
// key that the card leaves open, else key; the signature, else signature. Then the origin looks whether it is meant for it, else
// origin, and whether issued_at is within 10 minutes of its own clock, else replayed. A nonce is good once: replayed. What is
// shown to whom is told in docs/PROTOCOL.md.
//
// # Tombstone
//
// The body of a withdrawal. All but the reason may be absent; faults are value:
//
//	1 reason        str(40): agreement, expired, no-longer-available, duplicate, superseded, revoked, on-hold, error,
//	                other. Only after on-hold may the record return
//	2 replaced_by   str(64), a listing id of the same origin
//	3 at            time
//	4 kind          as in a listing      5 country  str(2)      6 published  day
//
// # Opening
//
// The body of a change of kind epoch: {1: opening bytes(16256), 2: signature}, both required, at most 16,384 bytes. It says
// which state of the catalogue goes on, and what is void. The opening:
//
//	1  federation   hash, required            8  base_digest  hash, required: state_digest at the base, or the digest of
//	2  origin       str(16), a member id                      the empty set
//	3  epoch        num                       9  reason       str(40): loss, fork, key
//	4  seq          num                       10 last_epoch   num
//	5  base_epoch   num                       11 last_seq     num
//	6  base_seq     num, absent where         12 voided       rep(64), each at most 256 bytes
//	                nothing is left           13 note         str(2000), one line
//	7  base_header  hash of the header at     14 issued_at    time
//	                the base; absent where
//	                base_seq is, only there
//
//	voided  1 epoch, 2 seq: both required; 3 hash of the header, required; 4 str(128), its record key; 5 its kind, 1 to 3
//
// Fields 3 and 4 are the position of the change that opens the epoch; 5 and 6 the base, from which history goes on; 10 and
// 11 the last position that the origin knows to have been signed, whoever holds it. base_epoch is at least 1 and below
// epoch. epoch is above last_epoch, and seq above last_seq. last is not below base, nor last_seq below base_seq. What is
// not so is refused as value. Every change above the base and of an earlier epoch is void. Those that are known are listed
// in 12, as far as there is room: at or below last, else value; ascending by position, then by header (as bytes), each
// once, else order. The note is refused as text.
//
// An opening is verified with its change, after step 7:
//
//  1. the body is read strictly and keeps the rules above
//  2. the charter of the header's charter_version is known here, else charter: papers bring it. It need not be in force
//  3. the origin is a member under that charter, else origin
//  4. the signature verifies under that member's governance key of that charter, else signature
//  5. federation, origin, epoch and seq are those of the header, and base_header is its prev_hash, else epoch
//
// So an epoch that was opened stays so when a later charter gives the member another governance key. Whether a copy stands
// at the base is judged by the copy: see protocol/replica.
//
// # Evidence
//
// {1: bytes(1152), 2: bytes(1152)}, both required, at most 2,320 bytes: two signed headers, without bodies, of one origin,
// federation and epoch that cannot both belong to one history. Either both are at one position and are not the same bytes:
// they ascend by SHA-256 of the header. Or the seq of the second is one above that of the first, and its prev_hash is not
// the SHA-256 of the first. Or both are of kind epoch. What else they may be is refused as value. (Two signatures over one header are no evidence.)
//
// It is verified in this order: the first header, steps 1 to 7 of a change; the second header, in the same way; the second
// header's position is not settled by the origin's card, else replayed. A position is settled if a closed range of the
// card ends at or above it.
//
// # Head statement
//
// {1: statement, 2: signature}, both required, at most 1,024 bytes. The statement:
//
//	1  federation       hash, required          7  seq          num, absent where nothing was published yet
//	2  origin           str(16), a member id    8  head_hash    hash of the header there; absent at seq 0 and only there
//	3  key              8 bytes, not zero       9  counter      num, required: rises with every statement
//	4  charter_version  num, required           10 issued_at    time, required
//	5  charter_hash     hash, required          11 lease_until  time, required, not before issued_at
//	6  epoch            num, required
//
// It is verified as a change is, in seven steps; its position is that of the head, or (epoch, 1) at seq 0, and step 7
// compares head_hash. At the end of a closed range, where head_hash is its seal, the key of the next range may sign too.
// charter_hash tells which charter the origin holds; the verifier does not compare it. Of an origin
// the statement with the highest counter is kept and relayed. An origin states its head every ten minutes and to whom it
// connects. The lease is 24 hours: its listings count as current until lease_until, but no longer than 24 hours after
// the statement was first received. After that they are stale, everywhere; nothing is deleted.
//
// # Charter
//
// {1: charter, 2: rep(256) signature {1: key, 2: signature}}. The charter has at most 262,144 bytes and is required;
// signatures have both fields and ascend by key (as bytes), each key once: order. The charter:
//
//	1 version     num, required
//	2 federation  hash of charter 1; absent in charter 1 and only there
//	3 prev_hash   hash of the charter before; absent in charter 1 and only there
//	4 name        str(200), one line, not blank
//	5 members     rep(256), at least one; ascending by id, each once
//	6 issued_at   time
//
// and a member, at most 1,024 bytes:
//
//	1 id          str(16), a member id
//	2 name        str(200), one line, not blank
//	3 country     str(2); a secretariat has none
//	4 role        1 member, 2 secretariat
//	5 governance  32 bytes, a key; no two members share one
//	6 records     num: quota of records in the set, withdrawn ones included; absent means 2,000,000
//	7 changes_per_day  num: quota of changes a day; absent means no bound
//
// Names are refused as text, keys as key, the order of members as order, missing version or members as required, else
// value. Charter N+1 follows charter N if, in this order: its version is N+1, else version; its federation is the
// federation id, else federation; prev_hash is the hash of charter N, else chain; over half of the governance keys of
// charter N and over half of its own signed it, else threshold. Charter 1 follows nothing, and over half of its own keys
// signed it. Signatures are counted by distinct key. Those that do not verify, or are of other keys, are carried and do
// not count.
//
// # Card
//
// {1: card bytes(16384), 2: signature}, both required. What a member says of itself, signed by its governance key:
//
//	1 federation  hash, required
//	2 member      str(16), a member id
//	3 version     num, required: the highest is in force
//	4 peers       rep(8), at least one {1: id str(128), one line, required; 2: rep(16) multiaddr, each one line of at most
//	              256 bytes that begins with "/"}; no id twice (repeated)
//	5 keys        rep(64), at least one, each at most 256 bytes
//	6 url         str(512), as in a listing
//	7 issued_at   time
//
// and a record key with its range of positions, both ends included:
//
//	1 key  32 bytes, a key     2 from_epoch, 3 from_seq     4 to_epoch, 5 to_seq: absent while open     6 seal  hash
//
// Ranges have no gaps: the first begins at 1.1, each other one at the end of the one before with seq one higher: order.
// The last one is open and no other: order. A closed range ends at or after its beginning and at a seq above 0, and is
// sealed with the hash of the header at its end; an open one has no seal: value. So a key that was lost or stolen is
// closed at the last good position, and what it signs at or below that is settled: it is evidence of nothing.
//
// A card is verified under a charter: its federation is the charter's, else federation; its member stands in the charter,
// else origin; the signature is of that member's governance key, else signature. A card whose version is not above that
// of the card held is refused as version.
//
// # Sync, gossip and papers
//
//	request  1 kind: 1 vector, 2 changes, 3 heads, 4 own, 5 buckets, 6 forks; 2 origin str(16), of kinds 2, 4, 5 and 6, and
//	         only there; 3 epoch, 4 seq: proven position of the asker; 5 hash of the header there; 6 epoch, 7 seq: cursor;
//	         8 rep(256) claim, of a vector; 9 32 bytes: a set of buckets, bucket i being bit i%8 (the lowest is 0) of byte
//	         i/8, may be all zeros; 10 num: above. 9 and 10 are of kind 2 with seq 0 only, both or none: value
//	claim    1 origin str(16), a member id; 2 epoch, 3 seq; 4 hash of the header there; 5 counter of the newest head
//	         statement held; 6 forked: 1 if evidence is held against the origin in this epoch; at most 256 bytes
//	answer   1 refused str(40), a code; 2 head bytes(1152), a signed header; 3 rep(1024) change; 4 last: 1;
//	         5 rep(256) head statement; 6 rep(16) evidence; 7 bytes(8192): 256 digests of 32 bytes, else length;
//	         8 rep(256) claim
//	gossip   1 rep(1024) change, at least one
//	papers   1 rep(4096) charter with its signatures; 2 rep(256) card with its signature
//
// A request has at most 65,536 bytes, an answer 148,608, a gossip message 83,072 and papers 8,388,608, before compression.
// Gossip and papers are refused if anything in them is malformed. In an answer, changes, heads and evidence are examined
// one by one. A batch carries changes of at most 65,536 bytes in sum, or one change. What is asked and answered is told in
// docs/PROTOCOL.md.
package protocol
