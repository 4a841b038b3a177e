package api

import (
	"net/http"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/interop"
)

// A route is an address of the API and who may use it. What is not in the table is not served (a test compares).
type route struct {
	Method, Path string
	Action       access.Action // what access.Can is asked before anything is done or told; "" where nothing is, and Who says why
	Who          string        // who uses it, in words
	Socket       bool          // served to who reaches the operator's listener only
}

// Reasons why an address asks no rule.
const (
	everybody = "everybody: it tells only what is public anyway"
	byLink    = "whoever holds the link, which works once"
	byProof   = "whoever proves to be the person"
	oneself   = "whoever asks, about the own session"
)

// routes is every address that the API serves.
func routes() (all []route) {
	for _, part := range [][]route{federationRoutes(), sessionTable(), accountTable(), peopleTable(), houseTable(), intakeTable()} {
		all = append(all, part...)
	}
	return all
}

// federationRoutes are of what all members share, and of the node as a whole.
func federationRoutes() []route {
	const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []route{
		{Method: get, Path: base + "/listings", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/listings/{origin}/{id}", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/listings/{id}", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/listings.csv", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/listings.xlsx", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/listings.jsonl", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: dcatPath, Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/listings/{origin}/{id}/schema.jsonld", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: atomPath, Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: interop.SitemapPath, Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: interop.SitemapPagePath, Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: interop.SchemaPath, Who: everybody},
		{Method: get, Path: robotsPath, Who: everybody},
		{Method: post, Path: base + "/listings", Action: access.Operate, Who: "the operator, past drafts and review"},
		{Method: put, Path: base + "/listings/{id}", Action: access.Operate, Who: "the operator, past drafts and review"},
		{Method: remove, Path: base + "/listings/{id}", Action: access.Operate, Who: "the operator, past drafts and review"},
		{Method: get, Path: base + "/match", Action: access.ReadSummary, Who: everybody},
		{Method: post, Path: base + "/match", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/match/live", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/suggest", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/members", Who: everybody},
		{Method: get, Path: base + "/members/{id}", Who: everybody},
		{Method: get, Path: base + "/members/{id}/feed", Action: access.ReadSummary, Who: everybody},
		{Method: get, Path: base + "/statistics", Who: everybody},
		{Method: get, Path: base + "/health", Who: everybody},
		{Method: get, Path: base + "/openapi.json", Who: everybody},
		{Method: get, Path: "/.well-known/tmh/charter", Who: everybody},
		{Method: get, Path: problemsPath, Who: everybody},
		{Method: get, Path: problemsPath + "/{code}", Who: everybody},
		{Method: post, Path: base + "/imports", Action: access.Operate, Who: "the operator"},
		{Method: post, Path: base + "/papers", Action: access.Operate, Who: "the operator"},
		{Method: get, Path: base + "/metrics", Action: access.Operate, Who: "the operator"},
		{Method: get, Path: base + "/operator/epoch", Action: access.Operate, Who: "the operator", Socket: true},
		{Method: post, Path: base + "/operator/epoch", Action: access.Operate, Who: "the operator", Socket: true},
		{Method: get, Path: base + "/operator/seal", Action: access.Operate, Who: "the operator", Socket: true},
		{Method: get, Path: base + "/operator/doctor", Action: access.Operate, Who: "the operator", Socket: true},
	}
}

// sessionTable are the ways in.
func sessionTable() []route {
	const get, post, remove = http.MethodGet, http.MethodPost, http.MethodDelete
	return []route{
		{Method: get, Path: base + "/session", Who: oneself},
		{Method: post, Path: base + "/session", Who: byProof},
		{Method: remove, Path: base + "/session", Who: oneself},
		{Method: post, Path: base + "/session/passkey", Who: byProof},
		{Method: post, Path: base + "/session/passkey/finish", Who: byProof},
		{Method: get, Path: base + "/session/provider", Who: byProof},
		{Method: get, Path: house.CallbackPath, Who: byProof},
		{Method: get, Path: base + "/setup", Who: byLink},
		{Method: post, Path: base + "/setup", Who: byLink},
		{Method: post, Path: base + "/setup/link", Action: access.Operate, Who: "the operator"},
		{Method: get, Path: base + "/invitations/open", Who: byLink},
		{Method: post, Path: base + "/invitations/accept", Who: byLink},
		{Method: post, Path: base + "/verification", Who: byLink},
		{Method: post, Path: base + "/password-reset", Who: "everybody: the link goes to the mailbox, and the answer is always the same"},
		{Method: post, Path: base + "/password-reset/finish", Who: byLink},
	}
}

// accountTable are of one's own account.
func accountTable() []route {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	const own = "the person"
	return []route{
		{Method: get, Path: base + "/account", Action: access.ReadPeople, Who: own},
		{Method: patch, Path: base + "/account", Action: access.EditAccount, Who: own},
		{Method: remove, Path: base + "/account", Action: access.ErasePerson, Who: own},
		{Method: post, Path: base + "/account/password", Action: access.EditAccount, Who: own},
		{Method: post, Path: base + "/account/email", Action: access.EditAccount, Who: own},
		{Method: get, Path: base + "/account/sessions", Action: access.EditAccount, Who: own},
		{Method: remove, Path: base + "/account/sessions", Action: access.EditAccount, Who: own},
		{Method: remove, Path: base + "/account/sessions/{id}", Action: access.EditAccount, Who: own},
		{Method: get, Path: base + "/account/passkeys", Action: access.EditAccount, Who: own},
		{Method: post, Path: base + "/account/passkeys", Action: access.EditAccount, Who: own},
		{Method: post, Path: base + "/account/passkeys/finish", Action: access.EditAccount, Who: own},
		{Method: patch, Path: base + "/account/passkeys/{id}", Action: access.EditAccount, Who: own},
		{Method: remove, Path: base + "/account/passkeys/{id}", Action: access.EditAccount, Who: own},
		{Method: get, Path: base + "/account/identities", Action: access.EditAccount, Who: own},
		{Method: post, Path: base + "/account/identities", Action: access.EditAccount, Who: own},
		{Method: remove, Path: base + "/account/identities/{id}", Action: access.EditAccount, Who: own},
		{Method: get, Path: base + "/account/export", Action: access.ExportPerson, Who: own},
	}
}

// peopleTable are of other people, organisations, tokens and the audit log.
func peopleTable() []route {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	const admin, owner = "an administrator", "the token's owner, or an administrator"
	return []route{
		{Method: get, Path: base + "/people", Action: access.ReadPeople, Who: admin},
		{Method: get, Path: base + "/people/{id}", Action: access.ReadPeople, Who: "the person, or an administrator"},
		{Method: patch, Path: base + "/people/{id}", Action: access.ChangeRoles, Who: admin},
		{Method: remove, Path: base + "/people/{id}", Action: access.ErasePerson, Who: "the person, or an administrator"},
		{Method: post, Path: base + "/people/{id}/disable", Action: access.DisablePerson, Who: admin},
		{Method: post, Path: base + "/people/{id}/enable", Action: access.DisablePerson, Who: admin},
		{Method: post, Path: base + "/people/{id}/reset-link", Action: access.EmpowerPerson, Who: admin},
		{Method: get, Path: base + "/people/{id}/export", Action: access.ExportPerson, Who: "the person, or an administrator"},
		{Method: get, Path: base + "/invitations", Action: access.InvitePerson, Who: admin},
		{Method: post, Path: base + "/invitations", Action: access.InvitePerson, Who: admin},
		{Method: remove, Path: base + "/invitations/{id}", Action: access.InvitePerson, Who: admin},
		{Method: get, Path: base + "/organisations", Action: access.ReadOrganisation, Who: "a reviewer or an administrator"},
		{Method: get, Path: base + "/organisations/{id}", Action: access.ReadOrganisation, Who: "its people, a reviewer or an administrator"},
		{Method: post, Path: base + "/organisations", Action: access.CreateOrganisation, Who: admin},
		{Method: patch, Path: base + "/organisations/{id}", Action: access.EditOrganisation, Who: admin},
		{Method: get, Path: base + "/tokens", Action: access.ReadToken, Who: owner},
		{Method: post, Path: base + "/tokens", Action: access.CreateToken, Who: "the person, or the operator"},
		{Method: remove, Path: base + "/tokens/{id}", Action: access.RevokeToken, Who: owner},
		{Method: post, Path: base + "/tokens/{id}/confirm", Action: access.ConfirmTokens, Who: admin},
		{Method: post, Path: base + "/tokens/confirm", Action: access.ConfirmTokens, Who: admin},
		{Method: get, Path: base + "/audit", Action: access.ReadAudit, Who: "an auditor or an administrator"},
		{Method: get, Path: base + "/audit/export", Action: access.ReadAudit, Who: "an auditor or an administrator"},
	}
}

// houseTable are of listings at their origin, their reviews and documents, and full records.
func houseTable() []route {
	const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	const (
		editor   = "an editor of the listing's organisation"
		seer     = "an editor of the listing's organisation, a reviewer or an administrator"
		reviewer = "a reviewer of another organisation who did not write it"
		writer   = "an editor, of what is still being written"
		readers  = "everybody, of level public; whom the level is for, of the others"
	)
	at := func(rest string) string { return base + "/postings/{id}" + rest }
	return []route{
		{Method: get, Path: base + "/listings/{origin}/{id}/full", Action: access.ReadPublic, Who: readers},
		{Method: get, Path: base + "/listings/{origin}/{id}/documents/{hash}", Action: access.ReadPublic, Who: readers},
		{Method: get, Path: base + "/postings", Action: access.ReadPosting, Who: seer},
		{Method: post, Path: base + "/postings", Action: access.CreateDraft, Who: "an editor, for the own organisation"},
		{Method: get, Path: base + "/postings/missing", Action: access.ReadPosting, Who: seer},
		{Method: get, Path: base + "/postings/by-reference/{reference}", Action: access.ReadPosting, Who: seer},
		{Method: get, Path: at(""), Action: access.ReadPosting, Who: seer},
		{Method: get, Path: at("/preview"), Action: access.ReadPosting, Who: seer},
		{Method: get, Path: at("/suspects"), Action: access.ReadPosting, Who: seer},
		{Method: get, Path: at("/reviews"), Action: access.ReadPosting, Who: seer},
		{Method: put, Path: at("/draft"), Action: access.EditDraft, Who: editor},
		{Method: remove, Path: at("/draft"), Action: access.DiscardDraft, Who: editor},
		{Method: post, Path: at("/submit"), Action: access.SubmitDraft, Who: editor},
		{Method: post, Path: at("/recall"), Action: access.SubmitDraft, Who: editor},
		{Method: post, Path: at("/renew"), Action: access.RenewPosting, Who: editor},
		{Method: post, Path: at("/hold"), Action: access.HoldPosting, Who: editor},
		{Method: post, Path: at("/lift"), Action: access.HoldPosting, Who: editor},
		{Method: post, Path: at("/withdraw"), Action: access.WithdrawPosting, Who: editor},
		{Method: post, Path: at("/supersede"), Action: access.WithdrawPosting, Who: editor},
		{Method: post, Path: at("/revoke"), Action: access.RevokePosting, Who: "a reviewer of another organisation, or an administrator"},
		{Method: post, Path: at("/adopt"), Action: access.RevokePosting, Who: "a reviewer of another organisation, or an administrator"},
		{Method: post, Path: base + "/checklist", Action: access.CreateDraft, Who: writer},
		{Method: post, Path: base + "/suspects", Action: access.CreateDraft, Who: writer},
		{Method: get, Path: base + "/reviews", Action: access.ReviewPosting, Who: "a reviewer"},
		{Method: post, Path: at("/take"), Action: access.ReviewPosting, Who: reviewer},
		{Method: post, Path: at("/release"), Action: access.ReviewPosting, Who: reviewer},
		{Method: post, Path: at("/hand-over"), Action: access.ReviewPosting, Who: reviewer},
		{Method: post, Path: at("/review"), Action: access.ReviewPosting, Who: reviewer},
		{Method: post, Path: at("/documents"), Action: access.WriteDocument, Who: editor},
		{Method: get, Path: at("/documents/{hash}"), Action: access.ReadDocument, Who: seer},
		{Method: get, Path: at("/grants"), Action: access.GrantAccess, Who: editor},
		{Method: post, Path: at("/grants"), Action: access.GrantAccess, Who: editor},
		{Method: remove, Path: at("/grants/{grant}"), Action: access.GrantAccess, Who: editor},
	}
}

// intakeTable are of imports as jobs.
func intakeTable() []route {
	const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	const (
		importer = "an editor of the organisation, or the operator"
		onlooker = "an editor of the organisation, or an administrator"
	)
	of := func(rest string) string { return base + "/organisations/{id}" + rest }
	at := func(rest string) string { return base + "/imports/{id}" + rest }
	return []route{
		{Method: get, Path: base + "/mapping-targets", Who: everybody},
		{Method: get, Path: of("/mappings"), Action: access.ReadImport, Who: onlooker},
		{Method: post, Path: of("/mappings/inspect"), Action: access.ImportPosting, Who: importer},
		{Method: get, Path: of("/mappings/{name}"), Action: access.ReadImport, Who: onlooker},
		{Method: put, Path: of("/mappings/{name}"), Action: access.ImportPosting, Who: importer},
		{Method: remove, Path: of("/mappings/{name}"), Action: access.ImportPosting, Who: importer},
		{Method: get, Path: of("/sources"), Action: access.ReadImport, Who: onlooker},
		{Method: post, Path: of("/sources/test"), Action: access.ImportPosting, Who: importer},
		{Method: get, Path: of("/sources/{name}"), Action: access.ReadImport, Who: onlooker},
		{Method: put, Path: of("/sources/{name}"), Action: access.ImportPosting, Who: importer},
		{Method: remove, Path: of("/sources/{name}"), Action: access.ImportPosting, Who: importer},
		{Method: post, Path: of("/sources/{name}/harvest"), Action: access.ImportPosting, Who: importer},
		{Method: get, Path: of("/imports"), Action: access.ReadImport, Who: onlooker},
		{Method: post, Path: of("/imports"), Action: access.ImportPosting, Who: importer},
		{Method: get, Path: at(""), Action: access.ReadImport, Who: onlooker},
		{Method: remove, Path: at(""), Action: access.ImportPosting, Who: importer},
		{Method: post, Path: at("/cancel"), Action: access.ImportPosting, Who: importer},
		{Method: post, Path: at("/apply"), Action: access.ImportPosting, Who: importer},
		{Method: post, Path: at("/confirm"), Action: access.ImportPosting, Who: importer},
		{Method: get, Path: at("/rows"), Action: access.ReadImport, Who: onlooker},
		{Method: get, Path: at("/errors"), Action: access.ReadImport, Who: onlooker},
		{Method: get, Path: at("/mapping"), Action: access.ReadImport, Who: onlooker},
		{Method: get, Path: at("/events"), Action: access.ReadImport, Who: onlooker},
	}
}
