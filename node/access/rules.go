package access

import (
	"slices"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
)

// What a rule's role may name beside the roles that people are given.
const (
	anyone   Role = "anyone"   // strangers too
	person   Role = "person"   // everybody signed in here, whatever the roles
	guest    Role = "guest"    // has a reading role, but not on the node whose resource it is
	operator Role = "operator" // at the socket; an admin's rules are its too
)

// relation between an actor and a resource.
type relation string

const (
	anywhere relation = "anywhere"         // no matter whose it is
	ownOrg   relation = "own organisation" // it belongs to the actor's organisation
	ownself  relation = "own account"      // it is the actor's account, or belongs to it
	others   relation = "others"           // another organisation's, and the actor did not write it
	audience relation = "audience"         // the actor belongs to its audience
	invited  relation = "invited"          // the actor was invited to it
)

// rule allows an action to a role in a relation. What no rule allows is refused.
type rule struct {
	action   Action
	role     Role
	relation relation
}

// rules is all that anybody may do.
func rules() []rule {
	return []rule{
		{ReadSummary, anyone, anywhere},
		{ReadPublic, anyone, anywhere},

		{ReadRegistered, Reader, anywhere},
		{ReadRegistered, Scout, anywhere},
		{ReadRegistered, Editor, anywhere},
		{ReadRegistered, Reviewer, anywhere},
		{ReadRegistered, Admin, anywhere},
		{ReadRegistered, guest, anywhere},

		{ReadRestricted, Reader, audience},
		{ReadRestricted, Reader, ownOrg},
		{ReadRestricted, Scout, audience},
		{ReadRestricted, Scout, ownOrg},
		{ReadRestricted, Editor, audience},
		{ReadRestricted, Editor, ownOrg},
		{ReadRestricted, Reviewer, anywhere},
		{ReadRestricted, Admin, anywhere},
		{ReadRestricted, guest, audience},

		{ReadInvited, Reader, invited},
		{ReadInvited, Reader, ownOrg},
		{ReadInvited, Scout, invited},
		{ReadInvited, Scout, ownOrg},
		{ReadInvited, Editor, invited},
		{ReadInvited, Editor, ownOrg},
		{ReadInvited, Reviewer, anywhere},
		{ReadInvited, Admin, anywhere},
		{ReadInvited, guest, invited},

		{GrantAccess, Editor, ownOrg}, // whose secret it is decides who sees it, not the agency

		{ReadPosting, Editor, ownOrg},
		{ReadPosting, Reviewer, anywhere},
		{ReadPosting, Admin, anywhere},
		{CreateDraft, Editor, ownOrg},
		{EditDraft, Editor, ownOrg},
		{DiscardDraft, Editor, ownOrg},
		{SubmitDraft, Editor, ownOrg},
		{ReviewPosting, Reviewer, others},
		{ReassignPosting, Admin, others}, // nobody frees the own listing of a reviewer
		{RenewPosting, Editor, ownOrg},
		{HoldPosting, Editor, ownOrg},
		{WithdrawPosting, Editor, ownOrg},
		{RevokePosting, Reviewer, others},
		{RevokePosting, Admin, anywhere},
		{ImportPosting, Editor, ownOrg},
		{ImportPosting, operator, anywhere}, // who may publish anything, past everybody
		{ReadImport, Editor, ownOrg},
		{ReadImport, Admin, anywhere},
		{ReadDocument, Editor, ownOrg},
		{ReadDocument, Reviewer, anywhere},
		{ReadDocument, Admin, anywhere},
		{WriteDocument, Editor, ownOrg},

		{ReadOrganisation, person, ownOrg},
		{ReadOrganisation, Reviewer, anywhere},
		{ReadOrganisation, Admin, anywhere},
		{CreateOrganisation, Admin, anywhere},
		{EditOrganisation, Admin, anywhere}, // not its own editors: an organisation's standing is among the fields
		{ReadPeople, person, ownself},
		{ReadPeople, Admin, anywhere},
		{InvitePerson, Admin, anywhere},
		{ChangeRoles, Admin, anywhere},
		{DisablePerson, Admin, anywhere},
		{EmpowerPerson, Admin, anywhere},
		{ExportPerson, person, ownself},
		{ExportPerson, Admin, anywhere},
		{ErasePerson, person, ownself},
		{ErasePerson, Admin, anywhere},
		{EditAccount, person, ownself},
		{ReadToken, person, ownself},
		{ReadToken, Admin, anywhere},
		{CreateToken, person, ownself},
		{CreateToken, operator, anywhere}, // not an admin: a token for somebody else's account acts in that person's name
		{RevokeToken, person, ownself},
		{RevokeToken, Admin, anywhere},
		{ConfirmTokens, Admin, anywhere},

		{ReadAudit, Auditor, anywhere},
		{ReadAudit, Admin, anywhere},
		{ReadSettings, Auditor, anywhere},
		{ReadSettings, Admin, anywhere},
		{EditSettings, Admin, anywhere},
		{Operate, operator, anywhere},
	}
}

// What an action needs of a token beside the scopes.
const (
	noScope     Scope = ""        // nothing: strangers may it too
	sessionOnly Scope = "session" // no token may it: it could outlive its owner's will, or widen itself
)

// need is what an action is called towards people, and the scope that a token needs for it.
type need struct {
	scope Scope
	words string
}

// needOf an action; no words where there is no such action.
func needOf(a Action) need {
	switch a {
	case ReadSummary:
		return need{noScope, "read a summary"}
	case ReadPublic:
		return need{noScope, "read a public record"}
	case ReadRegistered:
		return need{ScopeRead, "read a record of level registered"}
	case ReadRestricted:
		return need{ScopeRead, "read a record of level restricted"}
	case ReadInvited:
		return need{ScopeRead, "read a record of level invited"}
	case GrantAccess:
		return need{ScopeWrite, "invite to a listing"}
	case ReadPosting:
		return need{ScopeRead, "read a listing's drafts and reviews"}
	case CreateDraft:
		return need{ScopeWrite, "begin a listing"}
	case EditDraft:
		return need{ScopeWrite, "edit a draft"}
	case DiscardDraft:
		return need{ScopeWrite, "discard a draft"}
	case SubmitDraft:
		return need{ScopeWrite, "submit a draft"}
	case ReviewPosting:
		return need{ScopeReview, "review a listing"}
	case ReassignPosting:
		return need{ScopeAdmin, "take a case away from its reviewer"}
	case RenewPosting:
		return need{ScopeWrite, "renew a listing"}
	case HoldPosting:
		return need{ScopeWrite, "put a listing on hold"}
	case WithdrawPosting:
		return need{ScopeWrite, "withdraw a listing"}
	case RevokePosting:
		return need{ScopeReview, "revoke a listing"}
	case ImportPosting:
		return need{ScopeWrite, "import listings"}
	case ReadImport:
		return need{ScopeRead, "see an import"}
	case ReadDocument:
		return need{ScopeRead, "read a draft's documents"}
	case WriteDocument:
		return need{ScopeWrite, "add or remove documents"}
	case ReadOrganisation:
		return need{ScopeRead, "see an organisation's entry"}
	case CreateOrganisation:
		return need{ScopeAdmin, "create an organisation"}
	case EditOrganisation:
		return need{ScopeAdmin, "edit an organisation"}
	case ReadPeople:
		return need{ScopeAdmin, "see people"}
	case InvitePerson:
		return need{ScopeAdmin, "invite a person"}
	case ChangeRoles:
		return need{ScopeAdmin, "change roles"}
	case DisablePerson:
		return need{ScopeAdmin, "disable or enable an account"}
	case EmpowerPerson:
		return need{sessionOnly, "give a link into an account, or make an administrator"}
	case ExportPerson:
		return need{ScopeAdmin, "export a person's data"}
	case ErasePerson:
		return need{ScopeAdmin, "erase a person's data"}
	case EditAccount:
		return need{sessionOnly, "change an account"}
	case ReadToken:
		return need{ScopeAdmin, "list tokens"}
	case CreateToken:
		return need{sessionOnly, "create a token"}
	case RevokeToken:
		return need{ScopeAdmin, "revoke a token"}
	case ConfirmTokens:
		return need{ScopeAdmin, "confirm tokens after a restore"}
	case ReadAudit:
		return need{ScopeAdmin, "read the audit log"}
	case ReadSettings:
		return need{ScopeAdmin, "read the settings"}
	case EditSettings:
		return need{ScopeAdmin, "change the settings"}
	case Operate:
		return need{sessionOnly, "operate the node"}
	}
	return need{}
}

// Can reports whether the actor may do that with the resource: nil where a rule of the table allows it.
//
// Errors: CodeNotPermitted, saying who may, or which scope a token lacks.
func Can(a Actor, action Action, r Resource) error { return can(rules(), a, action, r) }

func can(table []rule, a Actor, action Action, r Resource) error {
	n := needOf(action)
	allowed := false
	for _, x := range table {
		if x.action == action && a.holds(x.role, r) && a.stands(x.relation, r) {
			allowed = true
			break
		}
	}
	switch {
	case n.words == "":
		return protocol.Errorf(protocol.CodeNotPermitted, "", "no rule allows this")
	case !allowed:
		return protocol.Errorf(protocol.CodeNotPermitted, "", "%s", refusal(table, a, action, n))
	case a.Scopes == nil || n.scope == noScope:
		return nil
	case n.scope == sessionOnly:
		return protocol.Errorf(protocol.CodeNotPermitted, "", "no token may %s: sign in to do it", n.words)
	case !slices.Contains(a.Scopes, n.scope):
		return protocol.Errorf(protocol.CodeNotPermitted, "", "this token may not %s: it needs the scope “%s”; create a token that has it", n.words, n.scope)
	}
	return nil
}

// holds reports whether the actor has a rule's role towards the resource.
func (a Actor) holds(role Role, r Resource) bool {
	if role == anyone {
		return true
	}
	if a.Anonymous() {
		return false
	}
	if a.Foreign || r.Member != "" && r.Member != a.Member {
		reads := func(x Role) bool { return slices.Contains([]Role{Reader, Scout, Editor, Reviewer, Admin}, x) }
		return role == guest && (a.Operator || slices.ContainsFunc(a.Roles, reads))
	}
	switch {
	case a.Operator:
		return role == operator || role == Admin
	case role == person:
		return true
	case role == guest || role == operator:
		return false
	}
	return slices.Contains(a.Roles, role)
}

// stands reports whether the actor is in a rule's relation to the resource.
func (a Actor) stands(rel relation, r Resource) bool {
	switch rel {
	case anywhere:
		return true
	case ownOrg:
		return a.Organisation != "" && r.Organisation == a.Organisation
	case ownself:
		return a.User != "" && r.User == a.User
	case others:
		return r.Organisation != "" && r.Organisation != a.Organisation && (r.Author == "" || r.Author != a.User)
	case audience:
		return r.Audience.Holds(a)
	case invited:
		return r.Invited
	}
	return false
}

// refusal says who may instead.
func refusal(table []rule, a Actor, action Action, n need) string {
	var who []string
	for _, x := range table {
		if x.action != action || x.role == guest {
			continue
		}
		role := string(x.role)
		switch x.role {
		case Reader, Scout, Reviewer, person:
			role = "a " + role
		case Editor, Admin, Analyst, Auditor:
			role = "an " + role
		case operator:
			role = "the operator, on the node itself,"
		}
		switch x.relation {
		case ownOrg:
			role += " of its organisation"
		case ownself:
			role = "the person whose account it is"
		case others:
			role += " of another organisation who did not write it"
		case audience:
			role += " of its audience"
		case invited:
			role += " whom its owner invited"
		}
		who = append(who, role)
	}
	s := "you may not " + n.words
	if len(who) > 0 {
		last := len(who) - 1
		if s += ": "; last > 0 {
			s += strings.Join(who[:last], ", ") + " or "
		}
		s += who[last] + " may"
	}
	if a.Anonymous() {
		s += "; sign in first"
	}
	return s
}
