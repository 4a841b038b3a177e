package api

import (
	"github.com/asean-tmh/tmh/node/match"
	"github.com/asean-tmh/tmh/protocol"
)

// Statuses is the map for the test that compares it with protocol's codes.
var Statuses = statuses

// Routes is the table of addresses, for the tests that walk it.
var Routes = routes

// Foreign is what a refusal about a listing of another member becomes.
func Foreign(own protocol.MemberID, ref match.Ref, err error) error {
	return (&API{cfg: Config{Member: own}}).foreign(ref, err)
}
