package protocol

import "time"

// Limits of the protocol. They bound what a node decodes, stores and forwards for others, so all nodes must agree on them.
const (
	MaxNumber     = 1<<53 - 1 // every number: JSON readers hold it exactly, and one can be added to it
	MaxBody       = 16 << 10  // bytes of a change's body
	MaxHeader     = 1 << 10   // bytes of a change's header
	MaxChange     = MaxBody + MaxHeader + 128
	MaxRecordKey  = 128     // bytes of a record key
	MaxHead       = 1 << 10 // bytes of a signed head statement
	MaxCharter    = 256 << 10
	MaxMembers    = 256
	MaxSignatures = 256
	MaxCard       = 16 << 10
	MaxPeers      = 8  // transport identities of one member
	MaxAddresses  = 16 // addresses of one transport identity
	MaxAddress    = 256
	MaxRecordKeys = 64       // record keys of one member, closed ranges included
	MaxBatch      = 64 << 10 // bytes of changes in one sync batch or gossip message, before compression
	MaxForks      = 16       // pieces of evidence in one answer
	MaxPurge      = 1024     // withdrawals that one change may forget
	MaxGossip     = 128 << 10
	MaxVector     = 64 << 10
	MaxFullRecord = 256 << 10

	MaxTitle        = 255  // characters of a title
	MaxValue        = 200  // characters of a value statement
	MaxAbstract     = 2000 // characters of an abstract in one language
	MaxKeywords     = 10   // per language
	MaxKeyword      = 80   // characters
	MaxLanguages    = 13
	MaxCodes        = 16 // codes of one list on one listing
	MaxOrganisation = 200
	MaxURL          = 512

	// Of full records. Together they have at most MaxFullRecord bytes.
	MaxDescription    = 4000 // characters in one language
	MaxPassage        = 2000 // characters of the problem, and of the advantages
	MaxNote           = 1000 // characters of a remark of several lines
	MaxShort          = 200  // characters of a name or remark of one line
	MaxUnit           = 40   // characters of a unit or a right's number
	MaxApplications   = 20   // in one language
	MaxComparisons    = 20
	MaxRights         = 32
	MaxCertifications = 16
	MaxPeople         = 32
	MaxPartners       = 32 // of a consortium
	MaxPublications   = 50
	MaxDOI            = 200 // bytes
	MaxEmail          = 254
	MaxPhone          = 40
	MaxZone           = 64
	MaxDocuments      = 20
	MaxDocumentName   = 120 // characters
	MaxMediaType      = 100
	MaxDocument       = 20 << 20 // bytes of one document
	MaxSerial         = 9999     // listings of one kind and country that are published on one day

	Lease = 24 * time.Hour // how long a head statement vouches for its origin's listings

	MaxGossipBacklog = 64 // unsent changes up to which an origin gossips them itself; above, it announces its head
	MaxGossipRate    = 50 // changes a second gossiped one by one; above, batched
)
