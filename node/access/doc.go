// Package access knows who may do what on a node: organisations, people and their roles, how they prove who they are, the
// sessions and tokens that follow, and the one table of rules that every door asks (Can).
//
// # Who acts
//
// A door turns what a request shows into an Actor: a session's secret (Registry.Authenticate), a token
// (Registry.AuthenticateToken), the administration socket (Actor.Operator), or another member's signed word (Actor.Foreign).
// A request that shows nothing is the zero Actor, a stranger. An Actor is made anew for every request from what the registry
// holds then, so a role that was taken away, a disabled person or a disabled organisation counts from the next request on.
//
// # What they may
//
// Can looks the action up in one table (rules.go): a line is an action, a role and a relation between actor and resource. The
// methods of Registry ask it themselves; nothing else decides. Who reads what of full records: everybody signed in who has one
// of the reading roles reads the registered level; of the restricted level those whom the audience holds, by type of
// organisation and country both; of the invited level those who were invited; and the people of the organisation, the reviewers
// and the administrators of the node whose listing it is read all of it. An analyst and an auditor read nothing confidential.
// Who comes from another member's node, or asks about another member's listing, is a guest: whatever roles he holds at home, he
// reads by level and does nothing else.
//
// # Secrets
//
// Secrets of links, sessions and tokens are 256 random bits. The store holds their SHA-256 only, which is enough for secrets
// that nobody can guess; it is also what they are found by, so nothing is compared byte by byte. Passwords are hashed with
// argon2id. The throttle knows addresses and e-mail addresses by a keyed hash only.
//
// # Rows
//
// JSON, in these tables, under these keys:
//
//	organisation  o/ID                  Organisation     n/NAME, folded → ID
//	user          u/ID                  User             o/ORGANISATION/ID and a/ID (administrators): indexes
//	login         EMAIL → ID
//	invitation    l/HASH                link             s/PURPOSE/SUBJECT → HASH, the newest of its kind
//	session       s/HASH                session          u/USER/HASH: index    generation: see restore.go
//	token         t/ID                  Token            h/HASH → ID   u/USER/ID: index    generation
//	throttle      KIND/HMAC             attempts         key: of the HMAC
package access
