package access

import (
	"github.com/asean-tmh/tmh/protocol"
)

// Ids are "u", "o" or "t" and 26 characters of base32 (128 random bits). They say nothing about whom they name.
type (
	UserID         string
	OrganisationID string
	TokenID        string
)

// Role of a person on a node. Reader, scout and editor act for their organisation; the others serve the whole node.
type Role string

// The roles.
const (
	Reader   Role = "reader"   // reads full records of the registered level
	Scout    Role = "scout"    // a company's: reads, and saves searches
	Editor   Role = "editor"   // a technology-transfer office's: posts and keeps the listings of its organisation
	Reviewer Role = "reviewer" // of the agency: judges listings before they are published
	Admin    Role = "admin"    // of the node: people, organisations, settings
	Analyst  Role = "analyst"  // statistics
	Auditor  Role = "auditor"  // reads the audit log, changes nothing
)

// Roles are all roles that a person can be given.
func Roles() []Role { return []Role{Reader, Scout, Editor, Reviewer, Admin, Analyst, Auditor} }

// Scope bounds what a token may do of all that its owner may.
type Scope string

// The scopes.
const (
	ScopeRead   Scope = "read"   // full records and one's own listings
	ScopeWrite  Scope = "write"  // drafts, submissions, publications
	ScopeReview Scope = "review" // reviews
	ScopeAdmin  Scope = "admin"  // people, organisations, settings, audit
)

// Scopes are all scopes that a token can have.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeReview, ScopeAdmin} }

// An Actor is who asks, once that is proven. The zero Actor is a stranger.
type Actor struct {
	User             UserID // "" for a stranger, and for the operator at the socket
	Name             string
	Organisation     OrganisationID
	OrganisationType string            // a code of the list of organisation types
	Country          protocol.Country  // of the organisation
	Member           protocol.MemberID // whose node vouches for the actor; this node's own for its people
	Foreign          bool              // that is another node: reads by level only. Must be set by who takes such a word
	Roles            []Role            // none while the e-mail address is not verified
	Scopes           []Scope           // of a token; nil: everything (a session, the operator)
	Token            TokenID           // where it was a token
	Session          SessionID         // where it was a session
	Operator         bool              // at the administration socket: may what an admin may, and create the first one
}

// Operator is who holds the administration socket of the node of member.
func Operator(member protocol.MemberID) Actor { return Actor{Member: member, Operator: true} }

// Anonymous reports whether nobody proved who he is.
func (a Actor) Anonymous() bool { return a.User == "" && !a.Operator }

// Kind of actor, for the audit log: "person", "token", "operator" or "stranger".
func (a Actor) Kind() string {
	switch {
	case a.Operator:
		return "operator"
	case a.Token != "":
		return "token"
	case a.User != "":
		return "person"
	}
	return "stranger"
}
