package access

import (
	"slices"

	"github.com/asean-tmh/tmh/protocol"
)

// Action is what somebody wants to do. Every action has a row in the table of rules.
type Action string

// The actions.
const (
	ReadSummary    Action = "summary.read"
	ReadPublic     Action = "record.read-public"     // full record, level public
	ReadRegistered Action = "record.read-registered" // level registered
	ReadRestricted Action = "record.read-restricted" // level restricted: the resource's audience decides
	ReadInvited    Action = "record.read-invited"    // level invited: the resource's grants decide
	GrantAccess    Action = "record.grant"           // invite somebody to a listing

	ReadPosting     Action = "posting.read" // a listing with its draft, reviews and history
	CreateDraft     Action = "posting.create"
	EditDraft       Action = "posting.edit"
	DiscardDraft    Action = "posting.discard"
	SubmitDraft     Action = "posting.submit"
	ReviewPosting   Action = "posting.review"   // take a case, score it
	ReassignPosting Action = "posting.reassign" // take a case away from the reviewer who has it
	RenewPosting    Action = "posting.renew"
	HoldPosting     Action = "posting.hold" // and lift the hold
	WithdrawPosting Action = "posting.withdraw"
	RevokePosting   Action = "posting.revoke"  // by the agency, against the organisation's will
	ImportPosting   Action = "posting.import"  // many at once, from a file or a repository; and keep what describes these
	ReadImport      Action = "posting.imports" // what became of an import, row by row
	ReadDocument    Action = "document.read"   // of a listing with its draft; of a published one, its level's action decides
	WriteDocument   Action = "document.write"

	ReadOrganisation   Action = "organisation.read"
	CreateOrganisation Action = "organisation.create"
	EditOrganisation   Action = "organisation.edit"
	ReadPeople         Action = "people.read"
	InvitePerson       Action = "people.invite"
	ChangeRoles        Action = "people.roles"
	DisablePerson      Action = "people.disable"
	EmpowerPerson      Action = "people.empower" // let somebody into an account by a link, or make an administrator
	ExportPerson       Action = "people.export"  // a person's data
	ErasePerson        Action = "people.erase"
	EditAccount        Action = "account.edit" // one's own name, password, passkeys, sessions
	ReadToken          Action = "token.read"
	CreateToken        Action = "token.create"
	RevokeToken        Action = "token.revoke"
	ConfirmTokens      Action = "token.confirm" // after a restore

	ReadAudit    Action = "audit.read"
	ReadSettings Action = "settings.read"
	EditSettings Action = "settings.edit"
	Operate      Action = "node.operate" // backup, papers, epochs, metrics: the operator's
)

// A Resource is what the action is about, as far as rules look at it. Fields that an action's rule does not name are not
// looked at.
type Resource struct {
	Organisation OrganisationID // whose it is
	User         UserID         // whose it is, of accounts and tokens
	Audience     *Audience      // of level restricted
	Invited      bool           // the actor stands on the list of grants
	Author       UserID         // who wrote it: nobody reviews his own listing

	// Member is whose node it belongs to; "" means the node that asks. To another member's resource everybody is a guest.
	Member protocol.MemberID
}

// Audience of a restricted record: an actor belongs to it where both lists hold it; an empty list holds everybody. Where there
// is no audience at all, nobody belongs to it.
type Audience struct {
	Types     []string // organisation types
	Countries []string // ISO 3166-1 alpha-2
}

// Holds reports whether the actor belongs to the audience.
func (p *Audience) Holds(a Actor) bool {
	in := func(list []string, x string) bool { return len(list) == 0 || x != "" && slices.Contains(list, x) }
	return p != nil && in(p.Types, a.OrganisationType) && in(p.Countries, string(a.Country))
}
