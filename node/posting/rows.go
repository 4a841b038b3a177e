package posting

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Rows of postings and their index; the package's description says what is in them.

const (
	keySample  = "k"
	keySerial  = "c"
	keyPending = "w/"
	keyDue     = "t/"
)

func rowOf(kind string, id protocol.ListingID) string { return kind + "/" + string(id) }

func damaged(what string, id protocol.ListingID, err error) error {
	return &protocol.Error{Code: protocol.CodeInternal, Message: "the stored " + what + " of " + string(id) + " is damaged: restore it from a backup", Err: err}
}

// get reads a posting. CodeNotFound where there is none.
func get(tx *store.Tx, id protocol.ListingID) (*Posting, error) {
	h, err := lookUp(tx, id)
	if err == nil && h == nil {
		err = protocol.Errorf(protocol.CodeNotFound, "id", "there is no such listing on this node: look for it in the list of your organisation's")
	}
	return h, err
}

func lookUp(tx *store.Tx, id protocol.ListingID) (*Posting, error) {
	if _, err := protocol.ParseListingID(string(id)); err != nil {
		return nil, err
	}
	b, err := tx.Row(store.TablePosting, rowOf("p", id))
	if err != nil || b == nil {
		return nil, err
	}
	h := new(Posting)
	if err := json.Unmarshal(b, h); err != nil {
		return nil, damaged("posting", id, err)
	}
	return h, nil
}

// index rows of a posting.
func index(h *Posting) map[string]string {
	at := fmt.Sprintf("/%016x/%s", ^h.Serial, h.ID)
	rows := make(map[string]string, 10)
	state, until := h.Live, ""
	if state == None {
		state = h.Draft
	} else {
		until = strconv.FormatUint(uint64(h.ValidUntil), 10)
	}
	for _, base := range []string{"o/" + string(h.Organisation), "g"} {
		rows[base+"/a"+at] = ""
		if !h.arriving() {
			rows[base+"/s/"+string(state)+at] = until
		}
		if h.Live != None && h.Draft != None {
			rows[base+"/r/"+string(h.Draft)+at] = ""
		}
	}
	if h.Draft == Submitted || h.Draft == InReview {
		rows[fmt.Sprintf("q/%s/%016x/%s", h.Draft, uint64(h.Submitted), h.ID)] = ""
	}
	if h.Audit != None {
		rows[fmt.Sprintf("q/audit/%016x/%s", uint64(h.Submitted), h.ID)] = ""
	}
	if day := nextDue(h); day != 0 {
		rows[fmt.Sprintf("%s%08d/%s", keyDue, day, h.ID)] = ""
	}
	if h.Pending != nil {
		rows[keyPending+string(h.ID)] = ""
	}
	if h.Reference != "" {
		rows["f/"+h.Reference] = string(h.ID)
	}
	if h.SourceID != "" {
		if !h.EndedByImport || h.ReplacedBy == "" { // else the source's id is another posting's
			rows[sourceKey(h.Organisation, h.SourceID)] = string(h.ID)
		}
		if h.Origin != "" && !h.Ended() {
			rows[originKey(h.Organisation, h.Origin)+h.SourceID] = ""
		}
	}
	return rows
}

// put writes a posting and what changes in its index. was is the index before, nil for a new posting.
func put(tx *store.Tx, h *Posting, was map[string]string) error {
	_, err := putRow(tx, h, was)
	return err
}

// putRow is put, and gives the row that was written.
func putRow(tx *store.Tx, h *Posting, was map[string]string) ([]byte, error) {
	b, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("write posting: %w", err)
	}
	if err := tx.SetRow(store.TablePosting, rowOf("p", h.ID), b); err != nil {
		return nil, err
	}
	return b, reindex(tx, was, index(h))
}

func reindex(tx *store.Tx, was, now map[string]string) error {
	for k := range was {
		if _, ok := now[k]; !ok {
			if err := tx.DeleteRow(store.TablePostingIndex, k); err != nil {
				return err
			}
		}
	}
	for k, v := range now {
		if old, ok := was[k]; !ok || old != v {
			if err := tx.SetRow(store.TablePostingIndex, k, []byte(v)); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove a posting that was never published, with all that belongs to it.
func remove(tx *store.Tx, h *Posting, was map[string]string) error {
	for n := 1; n <= h.Reviews; n++ {
		if err := tx.DeleteRow(store.TableReview, reviewKey(h.ID, n)); err != nil {
			return err
		}
	}
	for _, kind := range []string{"p", "d", "n"} {
		if err := tx.DeleteRow(store.TablePosting, rowOf(kind, h.ID)); err != nil {
			return err
		}
	}
	return reindex(tx, was, nil)
}

// draft of a posting, nil where nothing is being written.
func draft(tx *store.Tx, id protocol.ListingID) (*Content, error) {
	b, err := tx.Row(store.TablePosting, rowOf("d", id))
	if err != nil || b == nil {
		return nil, err
	}
	c := new(Content)
	if err := json.Unmarshal(b, c); err != nil {
		return nil, damaged("draft", id, err)
	}
	return c, nil
}

func setDraft(tx *store.Tx, id protocol.ListingID, c *Content) error {
	b, err := c.encode()
	if err != nil {
		return err
	}
	return tx.SetRow(store.TablePosting, rowOf("d", id), b)
}

// encode a draft.
func (c *Content) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(c); err != nil {
		return nil, fmt.Errorf("write draft: %w", err)
	}
	if b.Len() > MaxDraft {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "", "the draft has %d bytes, at most %d: shorten its texts", b.Len(), MaxDraft)
	}
	return b.Bytes(), nil
}

// printed is a content as it is signed: the summary, which names the parts of the record, and the record as it is kept.
type printed struct {
	Summary []byte         `json:"summary"`
	Record  []byte         `json:"record,omitempty"`
	Level   protocol.Level `json:"level"`

	listing *protocol.Listing // that the summary is of, once it was needed
	row     []byte            // as it is stored, likewise
}

// decode gives the summary's listing, which nobody changes.
func (x *printed) decode(id protocol.ListingID) (_ *protocol.Listing, err error) {
	if x == nil {
		return nil, damaged("publication", id, nil)
	}
	if x.listing == nil {
		if x.listing, err = protocol.DecodeListing(x.Summary); err != nil {
			return nil, damaged("summary", id, err)
		}
	}
	return x.listing, nil
}

func readPrinted(tx *store.Tx, kind string, id protocol.ListingID) (*printed, error) {
	b, err := tx.Row(store.TablePosting, rowOf(kind, id))
	if err != nil || b == nil {
		return nil, err
	}
	x := &printed{row: b}
	if err := json.Unmarshal(b, x); err != nil {
		return nil, damaged("publication", id, err)
	}
	return x, nil
}

func (x *printed) write(tx *store.Tx, kind string, id protocol.ListingID) (err error) {
	if x.row == nil {
		if x.row, err = json.Marshal(x); err != nil {
			return fmt.Errorf("write publication: %w", err)
		}
	}
	return tx.SetRow(store.TablePosting, rowOf(kind, id), x.row)
}

// content reads it back, with the parts that the record was split into.
func (x *printed) content(id protocol.ListingID) (*Content, []*protocol.Part, error) {
	if x == nil {
		return nil, nil, nil
	}
	l, err := protocol.DecodeListing(x.Summary)
	if err != nil {
		return nil, nil, damaged("summary", id, err)
	}
	c := &Content{Listing: *l}
	if x.Record == nil {
		return c, nil, nil
	}
	r, parts, err := protocol.DecodeRecord(x.Record)
	if err != nil {
		return nil, nil, damaged("full record", id, err)
	}
	if r != nil {
		c.Record = *r
	}
	return c, parts, nil
}

// print what is to be published: with the salts of what is live where nothing changed, so that publishing the same again
// signs nothing.
func (c *Content) print(id protocol.ListingID, before []*protocol.Part) (*printed, error) {
	parts, err := c.Record.Parts(id, before, nil)
	if err != nil {
		return nil, err
	}
	l := c.Listing
	l.BindFull(parts)
	if err := l.Validate(); err != nil {
		return nil, err
	}
	b := protocol.EncodeRecord(&c.Record, parts)
	if len(b) > protocol.MaxFullRecord {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "record", "%d bytes, at most %d: shorten its texts", len(b), protocol.MaxFullRecord)
	}
	return &printed{Summary: l.Encode(), Record: b, Level: c.Record.Visibility(), listing: &l}, nil
}

// count raises a counter and returns it: from 1 on.
func count(tx *store.Tx, key string) (uint64, error) {
	b, err := tx.Row(store.TablePostingIndex, key)
	if err != nil {
		return 0, err
	}
	var n uint64
	if len(b) == 8 {
		n = binary.BigEndian.Uint64(b)
	}
	n++
	return n, tx.SetRow(store.TablePostingIndex, key, binary.BigEndian.AppendUint64(nil, n))
}

func sourceKey(org access.OrganisationID, source string) string {
	return "i/" + string(org) + "/" + source
}

// originKey begins the keys of what came from an origin, whose name may hold anything.
func originKey(org access.OrganisationID, origin string) string {
	h := protocol.Sum([]byte(origin))
	return "m/" + string(org) + "/" + hex.EncodeToString(h[:8]) + "/"
}

// bySource finds the posting that an organisation made from a source's id, "" where there is none.
func bySource(tx *store.Tx, org access.OrganisationID, source string) (protocol.ListingID, error) {
	b, err := tx.Row(store.TablePostingIndex, sourceKey(org, source))
	return protocol.ListingID(b), err
}
