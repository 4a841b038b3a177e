// Package harvest fetches records from repositories by OAI-PMH 2.0 (http://www.openarchives.org/OAI/openarchivesprotocol.html), as
// DSpace, EPrints and others speak it, page by page, resumably. An address may be anybody's: only public networks are dialled, and all that
// comes back is bounded.
//
// What repositories often get wrong in XML is mended and counted: characters that XML does not have, bare ampersands, other charsets. Where a
// record is broken beyond that, it comes with an error and the others come whole. Nothing is left out silently: an answer that ends in the
// midst is an error.
package harvest

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/asean-tmh/tmh/protocol"
)

// DefaultPrefix is the metadata format that every repository has.
const DefaultPrefix = "oai_dc"

// Source is a repository, and what is wanted of it.
type Source struct {
	URL    string `json:"url"`              // its base address
	Prefix string `json:"prefix,omitempty"` // metadata format; "" is oai_dc
	Set    string `json:"set,omitempty"`
}

// Validate says all that is wrong with a source's form. Whether its address may be dialled shows when it is.
//
// Errors: CodeRequired, CodeValue, CodeTooLarge; fields url, prefix and set.
func (s Source) Validate() error {
	var errs protocol.Errors
	if _, err := s.base(); err != nil {
		errs = append(errs, protocol.All(err)...)
	}
	if !plain(s.Prefix, maxPrefix) {
		errs = append(errs, protocol.Errorf(protocol.CodeValue, "prefix", "is no metadata prefix: take one that the repository lists, as oai_dc"))
	}
	if !plain(s.Set, maxSet) {
		errs = append(errs, protocol.Errorf(protocol.CodeValue, "set", "is no set: take one that the repository lists"))
	}
	if errs == nil {
		return nil
	}
	return errs
}

func (s Source) base() (*url.URL, error) {
	if s.URL == "" {
		return nil, protocol.Errorf(protocol.CodeRequired, "url", "is absent: give the base address of the repository's OAI-PMH interface")
	}
	if len(s.URL) > maxURL {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "url", "is over %d bytes long", maxURL)
	}
	u, err := url.Parse(strings.TrimSpace(s.URL))
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeValue, "url", "is no address: give one as https://repository.example.org/oai/request")
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	u.Fragment = ""
	return u, nil
}

// plain says whether s has no spaces, control characters and the like, and is not too long.
func plain(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// Identity of a repository.
type Identity struct {
	Name        string    `json:"name"`
	Deleted     string    `json:"deleted"` // no, transient or persistent
	Granularity string    `json:"granularity"`
	Earliest    time.Time `json:"earliest"`
}

// Day and Second are the granularities of datestamps.
const (
	Day    = "YYYY-MM-DD"
	Second = "YYYY-MM-DDThh:mm:ssZ"
)

// Step is the least difference between two datestamps: what is asked for from t may have changed up to a step before.
func (id Identity) Step() time.Duration {
	if id.Granularity == Second {
		return time.Second
	}
	return 24 * time.Hour
}

func (id Identity) stamp(t time.Time) string {
	if id.Granularity == Second {
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	return t.UTC().Format(time.DateOnly)
}

// Record of a repository.
type Record struct {
	Identifier string
	Datestamp  time.Time // zero where it cannot be read
	Deleted    bool
	Sets       []string
	Fields     []Field // of its metadata, in order: "dc:title" and so on
	Err        error   // *protocol.Error: why it cannot be read; the records after it can
}

// Field of a record's metadata. The names of nested elements are joined by dots.
type Field struct{ Name, Lang, Value string }

// Page of a harvest.
type Page struct {
	Records []Record
	Token   string // of the next page; "" at the end
	Size    int    // of the whole list, where the repository says so; 0
	// Response is when the repository answered, by its own clock; zero where it does not say. That of the first page is what the next
	// harvest asks from: never our clock, which may be another.
	Response time.Time
	Repaired int // characters that were no XML and were replaced
}

// Set of a repository.
type Set struct {
	Spec string `json:"spec"`
	Name string `json:"name"`
}

// Format of metadata that a repository has.
type Format struct {
	Prefix    string `json:"prefix"`
	Namespace string `json:"namespace"`
}

// Client fetches. The zero Client dials public networks only. It may be used by several goroutines, and must not be copied.
type Client struct {
	Allow     func(netip.Addr) bool // who may be dialled; nil: Public
	Now       func() time.Time      // nil: time.Now
	UserAgent string                // "" is tmh-harvest
	Timeout   time.Duration         // of one answer, all of it; 0 is 5 minutes
	Tries     int                   // of one request; 0 is 5
	Backoff   time.Duration         // before the first new try, doubled for each after it; 0 is 2 seconds

	once sync.Once
	http *http.Client
	turn *semaphore.Weighted // to read and parse a long answer
}

// Close lets go of idle connections.
func (c *Client) Close() {
	c.client().CloseIdleConnections()
}

func (c *Client) client() *http.Client {
	c.once.Do(func() {
		c.turn = semaphore.NewWeighted(1)
		c.http = &http.Client{Transport: Transport(c.Allow), CheckRedirect: CheckRedirect}
	})
	return c.http
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Identify asks who the repository is.
//
// Errors: CodeValue where the address or what is there is wrong; CodeUnavailable for later; CodeTooLarge.
func (c *Client) Identify(ctx context.Context, s Source) (Identity, error) {
	a, err := c.ask(ctx, s, "Identify", nil)
	if err != nil {
		return Identity{}, err
	}
	if !a.identified {
		return Identity{}, protocol.Errorf(protocol.CodeValue, "url", "the repository does not say who it is: give its OAI-PMH base address")
	}
	if v := a.version; v != "" && v != "2.0" {
		return Identity{}, protocol.Errorf(protocol.CodeValue, "url", "the repository speaks version %s of OAI-PMH: only 2.0 is read here", clip(v, 20))
	}
	return a.identity, nil
}

// Page fetches the first page of what changed since from (zero: everything), or the one that token names. Where the answer ends in the midst,
// the records before that come along with the error.
//
// Errors: those of Identify, and ErrToken, ErrFormat, ErrNoSets in the chain.
func (c *Client) Page(ctx context.Context, s Source, id Identity, from time.Time, token string) (Page, error) {
	var args []argument
	switch {
	case len(token) > maxToken:
		return Page{}, protocol.Errorf(protocol.CodeTooLarge, "token", "is over %d bytes long", maxToken)
	case token != "":
		args = append(args, argument{"resumptionToken", token})
	default:
		args = append(args, argument{"metadataPrefix", cmp.Or(s.Prefix, DefaultPrefix)})
		if s.Set != "" {
			args = append(args, argument{"set", s.Set})
		}
		if !from.IsZero() {
			args = append(args, argument{"from", id.stamp(from)})
		}
	}
	a, err := c.ask(ctx, s, "ListRecords", args)
	page := Page{Records: a.records, Token: a.token, Size: a.size, Response: a.response, Repaired: a.repaired}
	if err != nil {
		page.Token = ""
		return page, err
	}
	if page.Token != "" && page.Token == token {
		page.Token = ""
		return page, endless("the repository names the same page as the next one")
	}
	return page, nil
}

// Sets lists the repository's sets, at most so many. What came before an error comes with it.
//
// Errors: those of Identify, and ErrNoSets in the chain.
func (c *Client) Sets(ctx context.Context, s Source, most int) ([]Set, error) {
	var sets []Set
	var course Course
	var args []argument
	for {
		a, err := c.ask(ctx, s, "ListSets", args)
		if err != nil {
			return sets, err
		}
		sets = append(sets, a.sets...)
		if len(sets) >= most {
			return sets[:most], nil
		}
		if err := course.Check(Page{Token: a.token, Records: make([]Record, min(len(a.sets), 1))}); err != nil || a.token == "" {
			return sets, err
		}
		args = []argument{{"resumptionToken", a.token}}
	}
}

// Formats lists the formats of metadata that the repository has.
//
// Errors: those of Identify.
func (c *Client) Formats(ctx context.Context, s Source) ([]Format, error) {
	a, err := c.ask(ctx, s, "ListMetadataFormats", nil)
	return a.formats, err
}
