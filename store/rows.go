package store

import (
	"bytes"
	"fmt"
	"slices"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/asean-tmh/tmh/protocol"
)

// What a node keeps for itself and never replicates lies in tables of rows: people and their access, listings on their way
// to publication, documents, mail, and the audit log. What a row holds is its owner package's; the store knows the bytes.

// Table names one kind of rows.
type Table byte

// The tables, each with the one package that writes it.
const (
	TableOrganisation Table = 'o' // node/access
	TableUser         Table = 'u' // node/access
	TableLogin        Table = 'l' // node/access: e-mail address → user
	TableInvitation   Table = 'i' // node/access: and the other links that work once
	TableSession      Table = 's' // node/access
	TableToken        Table = 't' // node/access
	TableThrottle     Table = 'h' // node/access: failed attempts
	TablePasskey      Table = 'k' // node/access/passkey
	TableIdentity     Table = 'c' // node/access/oidc: subject at a provider → user
	TableAudit        Table = 'a' // node/audit
	TablePerson       Table = 'n' // node/audit: who a pseudonym is, until erased
	TableMail         Table = 'm' // node/mail
	TablePosting      Table = 'p' // node/posting
	TablePostingIndex Table = 'x' // node/posting: by organisation, state, day
	TableReview       Table = 'r' // node/posting
	TableDocument     Table = 'd' // node/document
	TableChunk        Table = 'b' // node/document
	TableGrant        Table = 'g' // node/record: who is invited to a listing
	TableCopy         Table = 'f' // node/record: full records fetched from their origins
	TableAccessLog    Table = 'e' // node/record: what was shown to whom
	TableIntake       Table = 'j' // node/intake: jobs, mappings, sources
	TableReplay       Table = 'q' // node/replay: answers to requests with an Idempotency-Key
	TableChronicle    Table = 'v' // node/oai: when what was learnt of every origin
	TableSearch       Table = 'w' // node/saved: searches that people keep
	TableHistory      Table = 'y' // node/stats: how the federation stood, a row a day
	TableSetting      Table = 'z' // node
)

func rowKey(table Table, key string) []byte {
	k := make([]byte, 0, 2+len(key))
	return append(append(k, keyRow, byte(table)), key...)
}

// MaxRow is how many bytes a row may hold, and MaxRowKey how many its key.
const (
	MaxRow    = 512 << 10
	MaxRowKey = 512
)

// Row of a table, nil where there is none.
func (t *Tx) Row(table Table, key string) ([]byte, error) { return t.get(rowKey(table, key)) }

// SetRow writes a row.
func (t *Tx) SetRow(table Table, key string, value []byte) error {
	if len(value) > MaxRow || len(key) > MaxRowKey || key == "" {
		return protocol.Errorf(protocol.CodeTooLarge, "", "a row of %d bytes under a key of %d, at most %d and %d", len(value), len(key), MaxRow, MaxRowKey)
	}
	return t.set(rowKey(table, key), value)
}

// DeleteRow removes a row; it need not exist.
func (t *Tx) DeleteRow(table Table, key string) error { return t.delete(rowKey(table, key)) }

// Rows calls f for the rows whose keys begin with prefix, from key after on but without it, in the order of their keys, until
// f reports false. The value is valid during the call. Rows may not be written meanwhile: gather first.
func (t *Tx) Rows(table Table, prefix, after string, f func(key string, value []byte) (bool, error)) error {
	start := rowKey(table, prefix)
	if after != "" {
		start = append(rowKey(table, after), 0)
	}
	return t.scan(rowKey(table, prefix), start, func(key, value []byte) (bool, error) { return f(string(key[2:]), value) })
}

// LastRow is the row with the greatest key that begins with prefix; "" and nil where there is none.
func (t *Tx) LastRow(table Table, prefix string) (key string, value []byte, err error) {
	o := badger.DefaultIteratorOptions
	o.Reverse, o.PrefetchValues = true, false
	it := t.txn.NewIterator(o)
	defer it.Close()
	from := rowKey(table, prefix)
	it.Seek(append(slices.Clone(from), bytes.Repeat([]byte{0xFF}, MaxRowKey)...))
	if !it.ValidForPrefix(from) {
		return "", nil, nil
	}
	if value, err = it.Item().ValueCopy(nil); err != nil {
		return "", nil, fmt.Errorf("read %q: %w", from[:1], err)
	}
	return string(it.Item().Key()[2:]), value, nil
}
