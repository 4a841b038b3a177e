package audit

import (
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// Rows of store.TablePerson: byPerson and a person's id hold the pseudonym, byPseudonym and a pseudonym the id.
const (
	byPerson    = "u/"
	byPseudonym = "n/"
)

// Pseudonym is what the log calls a person. It is made at the first call, and so wants a writing transaction then.
func (l *Log) Pseudonym(tx *store.Tx, person string) (string, error) {
	if person == "" || len(person) > maxName {
		return "", protocol.Errorf(protocol.CodeValue, "actor", "is no person's id")
	}
	name, err := l.known(tx, person)
	if err != nil || name != "" {
		return name, err
	}
	random := make([]byte, 16)
	rand.Read(random) // never fails
	name = "n" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random))
	if err := tx.SetRow(store.TablePerson, byPerson+person, []byte(name)); err != nil {
		return "", err
	}
	return name, tx.SetRow(store.TablePerson, byPseudonym+name, []byte(person))
}

// known is a person's pseudonym, "" where there is none.
func (l *Log) known(tx *store.Tx, person string) (string, error) {
	b, err := tx.Row(store.TablePerson, byPerson+person)
	return string(b), err
}

// PersonOf is the id of the person whom a pseudonym stands for, "" where that was erased or never was.
func (l *Log) PersonOf(tx *store.Tx, pseudonym string) (string, error) {
	b, err := tx.Row(store.TablePerson, byPseudonym+pseudonym)
	return string(b), err
}

// Erase forgets which pseudonym was person's. Entries keep the pseudonym, and nobody can tell any more whose it was.
func (l *Log) Erase(tx *store.Tx, person string) error {
	name, err := l.known(tx, person)
	if err != nil || name == "" {
		return err
	}
	if err := tx.DeleteRow(store.TablePerson, byPseudonym+name); err != nil {
		return err
	}
	return tx.DeleteRow(store.TablePerson, byPerson+person)
}
