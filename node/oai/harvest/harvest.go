// Package harvest fetches records from repositories by OAI-PMH 2.0 (http://www.openarchives.org/OAI/openarchivesprotocol.html), as
// DSpace, EPrints and others speak it, page by page, resumably. An address may be anybody's: only public networks are dialled, and all that
// comes back is bounded.
package harvest

import (
	"context"
	"time"
)

// Source is a repository, and what is wanted of it.
type Source struct {
	URL    string `json:"url"`              // its base address
	Prefix string `json:"prefix,omitempty"` // metadata format; "" is oai_dc
	Set    string `json:"set,omitempty"`
}

// Identity of a repository.
type Identity struct {
	Name        string    `json:"name"`
	Deleted     string    `json:"deleted"` // no, transient or persistent
	Granularity string    `json:"granularity"`
	Earliest    time.Time `json:"earliest"`
}

// Record of a repository.
type Record struct {
	Identifier string
	Datestamp  time.Time
	Deleted    bool
	Sets       []string
	Fields     []Field // of its metadata, in order: "dc:title" and so on
	Err        error   // why its metadata cannot be read; the records after it can
}

// Field of a record's metadata.
type Field struct{ Name, Lang, Value string }

// Page of a harvest.
type Page struct {
	Records  []Record
	Token    string // of the next page; "" at the end
	Size     int    // of the whole list, where the repository says so; 0
	Response time.Time
}

// Client fetches. The zero Client dials public networks only.
type Client struct{}

// Identify asks who the repository is.
func (c *Client) Identify(ctx context.Context, s Source) (Identity, error) {
	panic("to be written")
}

// Page fetches the first page of what changed since from (zero: everything), or the one that token names.
func (c *Client) Page(ctx context.Context, s Source, id Identity, from time.Time, token string) (Page, error) {
	panic("to be written")
}
