package document

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Swept says what a sweep removed.
type Swept struct {
	Documents int // that no listing kept
	Orphans   int // documents whose chunks never got a header
}

// Sweep removes what no listing keeps and has waited for longer than the grace time, and the chunks that a crash left. Run
// it now and then, and after start.
func (a *Archive) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	var loose []protocol.Hash
	err := a.headers(func(tx *store.Tx, d header) error {
		if len(loose) < 10_000 {
			kept, err := referenced(tx, d.Hash)
			if err != nil || kept {
				return err
			}
			loose = append(loose, d.Hash)
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	for _, h := range loose {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		gone, err := a.drop(h)
		if err != nil {
			return s, err
		}
		if gone {
			s.Documents++
		}
	}
	for after := ""; ; {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		h, found, err := a.nextChunks(after)
		if err != nil || !found {
			return s, err
		}
		after = h.String() + "/\xFF"
		gone, err := a.dropChunks(h)
		if err != nil {
			return s, err
		}
		if gone {
			s.Orphans++
		}
	}
}

func (a *Archive) headers(f func(*store.Tx, header) error) error {
	return a.cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableDocument, headerPrefix, "", func(key string, _ []byte) (bool, error) {
			h, ok := hashOf(strings.TrimPrefix(key, headerPrefix))
			if !ok {
				return true, nil
			}
			d, err := readHeader(tx, h)
			if protocol.CodeOf(err) == protocol.CodeInternal {
				d.Hash, err = h, nil
			}
			return true, errors.Join(err, f(tx, d))
		})
	})
}

func referenced(tx *store.Tx, h protocol.Hash) (kept bool, err error) {
	err = tx.Rows(store.TableDocument, referencePrefix+h.String()+"/", "", func(string, []byte) (bool, error) {
		kept = true
		return false, nil
	})
	return kept, err
}

// drop deletes a document that nobody keeps, header first to all who look.
func (a *Archive) drop(h protocol.Hash) (gone bool, err error) {
	err = a.cfg.Store.Update(func(tx *store.Tx) error {
		gone = false
		d, err := readHeader(tx, h)
		if protocol.CodeOf(err) == protocol.CodeNotFound {
			return nil
		}
		kept, err := referenced(tx, h)
		if err != nil || kept || a.busy(h) || a.cfg.Now().Sub(d.Stored.Time()) < a.cfg.Grace {
			return err
		}
		gone = true
		return errors.Join(tx.DeleteRow(store.TableDocument, headerPrefix+h.String()), deleteSenders(tx, h), deleteChunks(tx, h))
	})
	return gone, err
}

func deleteSenders(tx *store.Tx, h protocol.Hash) error {
	var keys []string
	err := tx.Rows(store.TableDocument, senderPrefix+h.String()+"/", "", func(key string, _ []byte) (bool, error) {
		keys = append(keys, key)
		return true, nil
	})
	for _, k := range keys {
		err = errors.Join(err, tx.DeleteRow(store.TableDocument, k))
	}
	return err
}

func deleteChunks(tx *store.Tx, h protocol.Hash) error {
	var keys []string
	err := tx.Rows(store.TableChunk, h.String()+"/", "", func(key string, _ []byte) (bool, error) {
		keys = append(keys, key)
		return true, nil
	})
	for _, k := range keys {
		err = errors.Join(err, tx.DeleteRow(store.TableChunk, k))
	}
	return err
}

// nextChunks finds the next document that has chunks.
func (a *Archive) nextChunks(after string) (h protocol.Hash, found bool, err error) {
	err = a.cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableChunk, "", after, func(key string, _ []byte) (bool, error) {
			digits, _, _ := strings.Cut(key, "/")
			h, found = hashOf(digits)
			return !found, nil
		})
	})
	return h, found, err
}

func (a *Archive) dropChunks(h protocol.Hash) (gone bool, err error) {
	held := false
	if err := a.cfg.Store.View(func(tx *store.Tx) error {
		b, err := tx.Row(store.TableDocument, headerPrefix+h.String())
		held = b != nil
		return err
	}); err != nil || held {
		return false, err
	}
	err = a.cfg.Store.Update(func(tx *store.Tx) error {
		gone = false
		b, err := tx.Row(store.TableDocument, headerPrefix+h.String())
		if err != nil || b != nil || a.busy(h) {
			return err
		}
		gone = true
		return deleteChunks(tx, h)
	})
	return gone, err
}

// Verify reads every document that is kept, and reports those whose bytes are not what their hash says, or that a listing
// keeps and that are not here.
func (a *Archive) Verify(ctx context.Context, report func(protocol.Hash, error)) error {
	hashes := map[protocol.Hash]bool{}
	if err := a.headers(func(_ *store.Tx, d header) error {
		hashes[d.Hash] = true
		return nil
	}); err != nil {
		return err
	}
	if err := a.cfg.Store.View(func(tx *store.Tx) error {
		return tx.Rows(store.TableDocument, referencePrefix, "", func(key string, _ []byte) (bool, error) {
			digits, _, _ := strings.Cut(strings.TrimPrefix(key, referencePrefix), "/")
			if h, ok := hashOf(digits); ok {
				hashes[h] = true
			}
			return true, nil
		})
	}); err != nil {
		return err
	}
	for h := range hashes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.verify(h); err != nil {
			report(h, err)
		}
	}
	return nil
}

func (a *Archive) verify(h protocol.Hash) error {
	r, err := a.Open(h)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	if protocol.Hash(sum.Sum(nil)) != h {
		return protocol.Errorf(protocol.CodeInternal, "document", "the bytes of this document changed: send it again, or restore a backup")
	}
	return nil
}
