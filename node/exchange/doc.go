// Package exchange is the rules of the house: what may be published, revised and withdrawn, what is shown of a record, and
// how a match is asked for. It knows no network, no database and no HTTP: what it reads and writes stands in the small
// interfaces Catalogue, Journal and Engine, which the node provides.
package exchange
