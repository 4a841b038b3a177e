// Package mapping says which column of a source becomes which member of a listing, and applies that to rows.
//
// A rule's target is a path in the JSON form of a listing ("title" of texts is "listing.texts.en.title") or of its full record
// ("record.texts.en.description"). What comes out goes through the one strict door of package ingest, so that a row is judged as
// what anybody else sends; faults name the column they came from.
package mapping

import (
	"github.com/asean-tmh/tmh/protocol"
)

// Mapping of one kind of source. Its JSON form is what organisations save.
type Mapping struct {
	Title string   `json:"title,omitempty"` // for people
	ID    []string `json:"id"`              // names whose value is the source's id, the first that is there; "" is the repository's own identifier
	Rules []Rule   `json:"rules"`
}

// Rule fills one target. From is read in order; Constant stands where nothing else does.
type Rule struct {
	To       string            `json:"to"`
	From     []string          `json:"from,omitempty"`     // names of columns
	Lang     string            `json:"lang,omitempty"`     // only values that the source declares to be in this language
	Join     string            `json:"join,omitempty"`     // several values become one, with this between; "" takes the first
	Split    string            `json:"split,omitempty"`    // a value becomes several at this
	Values   map[string]string `json:"values,omitempty"`   // what a value of the source means here; others stay as they are
	Only     bool              `json:"only,omitempty"`     // values that Values does not have are left out
	Constant string            `json:"constant,omitempty"` // where there is no value
}

// Item is what a row says in our terms.
type Item struct {
	Source  string // its id at the source
	Listing protocol.Listing
	Record  protocol.Record
	Hash    protocol.Hash // of all the above as the mapping made it: equal hashes are equal items
}
