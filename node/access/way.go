package access

import "github.com/asean-tmh/tmh/store"

// HasPassword reports whether a person can sign in by password.
func (r *Registry) HasPassword(tx *store.Tx, id UserID) (bool, error) {
	u, err := userOf(tx, id)
	return err == nil && u.PasswordHash != "", err
}
