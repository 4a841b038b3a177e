// Package access knows who may do what on a node: organisations, people and their roles, how they prove who they are, the
// sessions and tokens that follow, and the one table of rules that every door asks (Can).
package access
