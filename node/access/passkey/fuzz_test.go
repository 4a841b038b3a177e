package passkey

import (
	"encoding/json"
	"testing"

	"github.com/asean-tmh/tmh/store"
)

// FuzzFinish gives Finish answers bent from right ones. It must not panic, and must let nobody in whose signature or
// challenge is not right.
func FuzzFinish(f *testing.F) {
	d, dev := newDesk(f), newDevice(f)
	f.Add(dev.create(d.beginRegistration(chanh)), true)
	d.add(sok, dev)
	f.Add(dev.get(d.beginSignIn()), false)
	for _, s := range []string{"{}", "[]", "null", `{"id":"","rawId":"","type":"public-key","response":{}}`} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, answer []byte, register bool) {
		if !register {
			b, err := d.BeginSignIn()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := d.FinishSignIn(b.Ceremony, answer, nil); err == nil {
				t.Fatalf("let in %q by %q", got.User, answer)
			}
			return
		}
		// The challenge is the answer's own, where it names one: so that the checks behind it are reached.
		b, err := d.BeginRegistration(chanh)
		if err != nil {
			t.Fatal(err)
		}
		var outer struct {
			Response struct {
				ClientDataJSON string `json:"clientDataJSON"`
			} `json:"response"`
		}
		if json.Unmarshal(answer, &outer) == nil {
			if c, ok := challengeIn(outer.Response.ClientDataJSON); ok {
				d.registers.mu.Lock()
				e := d.registers.byID[b.Ceremony]
				kept := e.Value.(entry)
				kept.session.Challenge = c
				e.Value = kept
				d.registers.mu.Unlock()
			}
		}
		// Rolled back, so that every input meets the same rows.
		_ = d.store.Update(func(tx *store.Tx) error {
			if _, err := d.FinishRegistration(tx, chanh, b.Ceremony, answer, ""); err != nil {
				return err
			}
			return errRollBack
		})
	})
}
