// Package node assembles and runs a member's node: one value that a test can start as well as the command line.
//
// What happens where:
//
//	journal.go    the one path on which this node signs: intents in, durable changes out
//	outbox.go     how signed changes leave: gossip, or a head statement while there is a backlog
//	admit.go      what gossip brings in: applied at once, held back for a moment, or left to a pull
//	pull.go       drawing an origin's feed from a holder
//	forks.go      evidence that an origin signed two histories
//	answer.go     serving what is held to others
//	heads.go      head statements and vectors: who is alive, and who holds what
//	papers.go     charters and cards
//	follow.go     match index and counters, which follow the store
//	members.go    what is shown of every member, and what it may ask of us
//	catalogue.go  the store as exchange.Desk reads it
//	serve.go      the doors for people and programs
//	backup.go     backups by hand and on schedule, and restoring them
//	verify.go     checking a store that no node has open
package node
