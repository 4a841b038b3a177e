// Package sim runs whole federations of real nodes — package node with libp2p over QUIC, gossip, streams and Badger — on a
// simulated network, in the fake time of testing/synctest. What the network does to packets (delay, bandwidth, cuts) is
// exact to the nanosecond and costs no real time; what a processor does costs no fake time, so throughput is not measured
// here. The schedule of goroutines is not repeatable, so tests assert bounds and invariants and no traces.
//
// Everything happens within a bubble: Run makes one, and a federation in it that is closed when its function returns. The
// verbs are Publish, Cut and Heal, Stop, Crash and Start; AwaitEqual and AwaitLinked wait for what must follow. Members
// are named by id, in the order of Federation.Members.
//
// Scenarios are text, in testdata: script_test.go says what a script looks like, verbs_test.go, papers_test.go, expect_test.go
// and lies_test.go have the tables of verbs, of what can be expected, and of what a liar does; epochs_test.go does what belongs
// to lost, forked, stolen and damaged histories. After every step all running
// nodes are held to model_test.go's invariants. walk_test.go writes scripts at random; one that fails is shrunk and printed,
// ready to be put into testdata.
//
// A store in memory dies with its node: such a node would come back empty. Name those that come back in Config.Disk: they have
// a guard file too, beside their folder.
package sim
