package harvest

import (
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/asean-tmh/tmh/protocol"
)

// What is read at most, so that no repository takes all of the node's memory or time.
const (
	maxAnswer   = 16 << 20          // bytes of an answer, unpacked
	maxRefusal  = 1 << 20           // of an answer with another status than 200
	maxHead     = 1 << 20           // of an answer that needs no turn
	maxText     = maxAnswer * 5 / 4 // the same when mended
	maxTag      = 64 << 10          // bytes between < and >
	maxDepth    = 100               // of elements
	maxNested   = 16                // of elements within metadata
	maxElements = 1 << 19           // and attributes, of an answer
	maxRecords  = 100_000
	maxFields   = 5000    // of a record
	maxMetadata = 1 << 20 // bytes of a record's values
	maxHeader   = 500     // sets that a record is in
	maxSets     = 20_000
	maxToken    = 8 << 10
	maxURL      = 2000
	maxPrefix   = 100
	maxSet      = 500
	maxName     = 1000 // bytes of an identifier, a name or the like
	maxPath     = 200  // of a field's name
	maxPages    = 100_000
	maxBarren   = 1000 // pages in a row without a record

	maxTries     = 5
	maxPause     = 10 * time.Minute
	turns        = 5 // that fit into the time of one answer
	maxRedirects = 5
)

// What a repository refuses, in the chain of the errors that say so.
var (
	ErrToken   = errors.New("badResumptionToken")      // begin the list again
	ErrFormat  = errors.New("cannotDisseminateFormat") // not in this metadata format
	ErrNoSets  = errors.New("noSetHierarchy")
	ErrEndless = errors.New("the list does not end")
	ErrAddress = errors.New("not an address that is dialled from here")
	ErrCut     = errors.New("the answer ends in the midst") // the records before that came along
)

func endless(message string) error {
	return &protocol.Error{Code: protocol.CodeConflict, Field: "token", Message: message + ": tell its keepers; the list does not end", Err: ErrEndless}
}

// Course notices a list that runs in circles or does not end. The zero Course begins a list. It takes up to 3 MB for the longest list.
type Course struct {
	Pages int // so far: set where a list goes on after a stop

	seen   map[[16]byte]struct{}
	barren int
}

// Check takes note of a page. A course that goes on after a stop notices a circle as well, only later.
//
// Errors: CodeConflict, with ErrEndless in the chain.
func (c *Course) Check(p Page) error {
	c.Pages++
	c.barren++
	if len(p.Records) > 0 {
		c.barren = 0
	}
	if p.Token == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(p.Token))
	key := [16]byte(sum[:16])
	switch _, again := c.seen[key]; {
	case again:
		return endless("the repository names a page again that was fetched already")
	case c.Pages >= maxPages:
		return endless("the repository's list has more pages than any list needs")
	case c.barren >= maxBarren:
		return endless("the repository sends one page after another without a record")
	}
	if c.seen == nil {
		c.seen = map[[16]byte]struct{}{}
	}
	c.seen[key] = struct{}{}
	return nil
}

// clip makes one line of a foreign text, of n runes at most.
func clip(s string, n int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n])) + "…"
	}
	return s
}
