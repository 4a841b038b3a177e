package document

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Rows: TableChunk holds hash/NNNN → bytes. TableDocument holds
//
//	d/hash                  → header
//	r/hash/listing/document → "" : the listing keeps it, as a document or as the preview of one
//	s/hash/sender           → 1: who sent it
//	l/listing/hash          → size of a document of the listing, eight bytes in JSON
//	w/sender/hash           → what waits to be named by a listing (waiting.go)
const (
	chunkSize       = 256 << 10
	headerPrefix    = "d/"
	referencePrefix = "r/"
	listingPrefix   = "l/"
	senderPrefix    = "s/"
)

// header of a document that lies here whole.
type header struct {
	Document
	Stored protocol.Instant `json:"stored"` // last time that it was put
}

func chunkKey(h protocol.Hash, n int64) string { return fmt.Sprintf("%s/%04d", h, n) }

func referenceKey(h protocol.Hash, listing protocol.ListingID, of protocol.Hash) string {
	return referencePrefix + h.String() + "/" + string(listing) + "/" + of.String()
}

func listingKey(listing protocol.ListingID, h protocol.Hash) string {
	return listingPrefix + string(listing) + "/" + h.String()
}

// Send notes who sent a document that is here. To know a document's hash is no right to it: only who sent it may name it.
func Send(tx *store.Tx, h protocol.Hash, sender string) error {
	return tx.SetRow(store.TableDocument, senderPrefix+h.String()+"/"+sender, []byte{1})
}

// SentBy reports whether that one sent the document.
func SentBy(tx *store.Tx, h protocol.Hash, sender string) (bool, error) {
	b, err := tx.Row(store.TableDocument, senderPrefix+h.String()+"/"+sender)
	return b != nil, err
}

func noDocument() error {
	return protocol.Errorf(protocol.CodeNotFound, "document", "there is no such document here: send it again")
}

// Put keeps a clean document and its preview. It is no listing's yet; what no listing attaches within the grace time is
// swept away.
//
// Errors: CodeReadOnly while the disk is too full.
func (a *Archive) Put(ctx context.Context, c *Clean) error {
	if a.cfg.Store.Space().ReadOnly {
		return protocol.Errorf(protocol.CodeReadOnly, "file", "this node's disk is nearly full, and it takes no documents now: try again later, nothing else of the listing is lost")
	}
	if c.preview != nil {
		if err := a.put(ctx, c.small, c.preview); err != nil {
			return err
		}
	}
	d := c.Document
	d.Name = "" // equal documents have different names in different listings
	return a.put(ctx, d, c.data)
}

func (a *Archive) put(ctx context.Context, d Document, data []byte) error {
	a.mark(d.Hash, 1)
	defer a.mark(d.Hash, -1)
	held := false
	err := a.cfg.Store.View(func(tx *store.Tx) error {
		_, err := readHeader(tx, d.Hash)
		held = err == nil
		return nil
	})
	if err != nil {
		return err
	}
	held = held && a.verify(d.Hash) == nil // what was damaged is mended by sending it again
	for at := 0; !held && at < len(data); {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := a.cfg.Store.Update(func(tx *store.Tx) error {
			for room := a.cfg.Store.MaxWrite() / 2; at < len(data) && (room >= chunkSize || room == a.cfg.Store.MaxWrite()/2); room -= chunkSize {
				chunk := data[at:min(at+chunkSize, len(data))]
				if err := tx.SetRow(store.TableChunk, chunkKey(d.Hash, int64(at/chunkSize)), chunk); err != nil {
					return err
				}
				at += len(chunk)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return a.cfg.Store.Update(func(tx *store.Tx) error {
		b, err := json.Marshal(header{Document: d, Stored: protocol.InstantOf(a.cfg.Now())})
		if err != nil {
			return err
		}
		return tx.SetRow(store.TableDocument, headerPrefix+d.Hash.String(), b)
	})
}

// mark counts who writes a document, which Sweep leaves alone meanwhile.
func (a *Archive) mark(h protocol.Hash, by int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.writing[h] += by; a.writing[h] == 0 {
		delete(a.writing, h)
	}
}

func (a *Archive) busy(h protocol.Hash) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.writing[h] > 0
}

func readHeader(tx *store.Tx, h protocol.Hash) (header, error) {
	var d header
	b, err := tx.Row(store.TableDocument, headerPrefix+h.String())
	switch {
	case err != nil:
		return d, err
	case b == nil:
		return d, noDocument()
	}
	if err := json.Unmarshal(b, &d); err != nil || d.Hash != h {
		return d, &protocol.Error{Code: protocol.CodeInternal, Field: "document", Message: "what is known of this document is damaged here: send it again", Err: err}
	}
	return d, nil
}

// Describe says what is known of a document; its name is the listing's to say.
//
// Errors: CodeNotFound.
func Describe(tx *store.Tx, h protocol.Hash) (Document, error) {
	d, err := readHeader(tx, h)
	return d.Document, err
}

// Attach has a listing keep a document and its preview; doing so again changes nothing.
//
// Errors: CodeNotFound where it was never put or is swept away; CodeTooLarge over the limits of a listing.
func Attach(tx *store.Tx, listing protocol.ListingID, h protocol.Hash, limits Limits) error {
	limits = limits.withDefaults()
	if _, err := protocol.ParseListingID(string(listing)); err != nil {
		return err
	}
	d, err := readHeader(tx, h)
	if err != nil {
		return err
	}
	held, err := Attached(tx, listing)
	if err != nil {
		return err
	}
	size := d.Size
	for _, o := range held {
		if o.Hash == h {
			return nil
		}
		size += o.Size
	}
	if len(held) >= limits.Documents {
		return protocol.Errorf(protocol.CodeTooLarge, "documents", "a listing may have up to %d documents: remove one first", limits.Documents)
	}
	if size > limits.Listing {
		return protocol.Errorf(protocol.CodeTooLarge, "documents", "the documents of a listing may have up to %s in all: remove one first, or make this one smaller", sizeText(limits.Listing))
	}
	b, err := json.Marshal(d.Size)
	if err != nil {
		return err
	}
	if err := errors.Join(tx.SetRow(store.TableDocument, listingKey(listing, h), b), tx.SetRow(store.TableDocument, referenceKey(h, listing, h), []byte{1})); err != nil {
		return err
	}
	if d.Preview == (protocol.Hash{}) {
		return nil
	}
	return tx.SetRow(store.TableDocument, referenceKey(d.Preview, listing, h), []byte{1})
}

// Detach has a listing let a document go; it need not have kept it. What nobody keeps any more is deleted by Sweep.
func Detach(tx *store.Tx, listing protocol.ListingID, h protocol.Hash) error {
	d, err := readHeader(tx, h)
	if err != nil && protocol.CodeOf(err) == protocol.CodeNotFound {
		err = nil
	}
	err = errors.Join(err, tx.DeleteRow(store.TableDocument, listingKey(listing, h)), tx.DeleteRow(store.TableDocument, referenceKey(h, listing, h)))
	if d.Preview != (protocol.Hash{}) {
		err = errors.Join(err, tx.DeleteRow(store.TableDocument, referenceKey(d.Preview, listing, h)))
	}
	return err
}

// Attached lists the documents of a listing by hash, with nothing but hash and size.
func Attached(tx *store.Tx, listing protocol.ListingID) (list []Document, err error) {
	prefix := listingPrefix + string(listing) + "/"
	err = tx.Rows(store.TableDocument, prefix, "", func(key string, value []byte) (bool, error) {
		var d Document
		if err := errors.Join(d.Hash.UnmarshalText([]byte(strings.TrimPrefix(key, prefix))), json.Unmarshal(value, &d.Size)); err != nil {
			return false, err
		}
		list = append(list, d)
		return true, nil
	})
	return list, err
}

// Reader of a kept document. It holds one chunk at a time and blocks no writer between reads.
type Reader struct {
	Document
	store *store.Store
	at    int64
	chunk []byte
	n     int64 // of the chunk; -1: none is held
}

// Open a document for reading.
//
// Errors: CodeNotFound.
func (a *Archive) Open(h protocol.Hash) (*Reader, error) {
	r := &Reader{store: a.cfg.Store, n: -1}
	err := a.cfg.Store.View(func(tx *store.Tx) (err error) {
		r.Document, err = Describe(tx, h)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Read fails with CodeInternal where a chunk is missing or damaged.
func (r *Reader) Read(p []byte) (int, error) {
	if r.at >= r.Size {
		return 0, io.EOF
	}
	if n := r.at / chunkSize; n != r.n {
		err := r.store.View(func(tx *store.Tx) (err error) {
			r.chunk, err = tx.Row(store.TableChunk, chunkKey(r.Hash, n))
			return err
		})
		if err == nil && int64(len(r.chunk)) != min(chunkSize, r.Size-n*chunkSize) {
			err = protocol.Errorf(protocol.CodeInternal, "document", "a part of this document is missing here: send it again, or restore a backup")
		}
		if err != nil {
			r.n = -1
			return 0, err
		}
		r.n = n
	}
	n := copy(p, r.chunk[r.at%chunkSize:])
	r.at += int64(n)
	return n, nil
}

// Seek as io.Seeker says.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.Size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	r.at = offset
	return offset, nil
}

// Close lets go of the chunk.
func (r *Reader) Close() error {
	r.chunk, r.n = nil, -1
	return nil
}

func hashOf(s string) (h protocol.Hash, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, false
	}
	return protocol.Hash(b), true
}
