// Package posting keeps the life of a listing at its origin: from a draft over review to publication, renewal and end.
//
// # States
//
// A posting has up to three states side by side. Live is what the region knows of it, Draft what is being written, Audit
// whether it waits for a review after publication. Where it was never published, Live is empty; where nothing is being
// written, Draft is. State joins them for people, and calls a published listing expired when its validity has ended: that
// is computed and never stored.
//
//	Live    published → on-hold → published; then withdrawn, superseded or revoked, for ever
//	Draft   draft → submitted → in-review → published, back to draft (returned), or rejected
//	Audit   due → in-review → nothing, or due again (released)
//
// Which action leads from where to where, and who may, is one table (table.go). A draft that was returned is a draft again,
// with the review attached: it is not on hold, which is said of published listings alone. A rejected draft can only be
// discarded. A revision is a draft beside what is published, which stays as it is until the revision passes.
//
// # Review
//
// Four scores of 0 to 5. A total of 10 or more without a zero publishes, 0 to 4 rejects, everything else returns. A case
// belongs to the reviewer who took it until it is handed over, released, taken away by an administrator, or lay for a week. An ordinary review of 15 or
// more lets the organisation publish by itself from then on. One in ten of what it then publishes is reviewed afterwards,
// chosen by a keyed hash; where that review fails, the organisation publishes by itself no more, and the listing stays
// until its owner mends it or the agency revokes it.
//
// # Two steps
//
// What the region sees is signed by the desk, in a transaction of its own. So such an action is first written down as
// pending, with the bytes to be signed; then the desk acts; then the posting takes its new state. Resume carries out what
// a crash left in between: the desk signs nothing that it signed before. What the desk refuses for good is undone.
//
// A listing of level invited is not in the catalogue: its states change here alone, and its record is served by grant.
//
// # Imports
//
// An import sends many listings at once, each known by its id at the source, which is unique in the organisation. A row that
// is refused leaves nothing behind. What becomes of the others, by what is here of the same id:
//
//	here                             source says the same   something new           has it no more
//	nothing                          –                      created                 unchanged
//	draft as an import left it       unchanged              changed, submitted      discarded
//	draft that people wrote          unchanged              refused                 refused
//	submitted                        unchanged              refused                 recalled and discarded
//	in review                        unchanged              refused                 refused
//	rejected                         unchanged              changed, submitted      discarded
//	published, on hold               unchanged              changed                 withdrawn
//	expired, or ends within 60 days  changed: renewed       changed                 withdrawn
//	… with a draft of people beside  unchanged              refused                 withdrawn
//	… submitted or in review         unchanged              refused                 withdrawn
//	ended by people                  ended                  ended                   ended
//	ended by an import               created, a new id      created, a new id       unchanged
//
// A returned draft is a draft. A rejected one that people wrote is refused. What people made or published here stays as long
// as the source says what it said before, and is overwritten when it says something new. Documents are people's: a source
// names none, and those that are attached stay. A changed listing on hold stays on hold. Renewed is only what the source sets no
// end to.
//
// Of a group of an import what wants a signature is pending together, and one transaction finishes the group. A posting whose
// import was cut off keeps the outcome that is still to be told, and tells it when the listing is sent again. A new one that
// is pending stands in no list by state, and has no draft.
//
// # Rows
//
// TablePosting, JSON: "p/ID" the posting, "d/ID" its draft, "l/ID" what is live, "n/ID" what is being published.
// TableReview: "ID/NNNNNNNN", its reviews. TablePostingIndex, where SERIAL counts down so that the newest comes first:
//
//	o/ORG/a/SERIAL/ID  g/a/SERIAL/ID               all of an organisation, all of the node
//	o/ORG/s/STATE/…    g/s/STATE/…                 by Live, or by Draft where never published; the value is valid_until
//	o/ORG/r/STATE/…    g/r/STATE/…                 by Draft of those that are live
//	q/submitted/TIME/ID, q/in-review/…, q/audit/…  what reviewers have to do, the oldest first
//	t/DAY/ID                                       when the next reminder is due
//	w/ID                                           pending
//	f/REFERENCE, i/ORG/SOURCE                      → ID
//	e/m/ORG/HASH/                                  day on which it was last told that listings of an origin end
//	m/ORG/HASH/SOURCE                              not ended, and came from an origin, by the hash of its name
//	n/KIND-COUNTRY-DAY, c, k                       serials, and the key of sampling
package posting
