package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRows(t *testing.T) {
	s, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.Update(func(tx *Tx) error {
		for _, key := range []string{"a/1", "a/2", "a/3", "a/3\xff\xff", "b/1"} {
			if err := tx.SetRow(TableUser, key, []byte("value of "+key)); err != nil {
				return err
			}
		}
		return tx.SetRow(TableOrganisation, "a/9", []byte("of another table"))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(func(tx *Tx) error {
		var got []string
		walk := func(prefix, after string) string {
			got = nil
			if err := tx.Rows(TableUser, prefix, after, func(key string, value []byte) (bool, error) {
				if string(value) != "value of "+key {
					t.Errorf("%q under %q", value, key)
				}
				got = append(got, key)
				return true, nil
			}); err != nil {
				t.Error(err)
			}
			return fmt.Sprintf("%q", got)
		}
		if all := walk("", ""); all != `["a/1" "a/2" "a/3" "a/3\xff\xff" "b/1"]` {
			t.Errorf("all rows: %s", all)
		}
		if rest := walk("a/", "a/1"); rest != `["a/2" "a/3" "a/3\xff\xff"]` {
			t.Errorf("rows below a/ after a/1: %s", rest)
		}
		if walk("a/", "b/0"); slices.Contains(got, "b/1") {
			t.Error("a row of another prefix was given")
		}
		for prefix, want := range map[string]string{"": "b/1", "a/": "a/3\xff\xff", "a/1": "a/1", "c": ""} {
			key, value, err := tx.LastRow(TableUser, prefix)
			if err != nil || key != want || (want != "" && string(value) != "value of "+want) {
				t.Errorf("last row of %q is %q %q, %v", prefix, key, value, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(func(tx *Tx) error {
		for _, key := range []string{"", strings.Repeat("k", MaxRowKey+1)} {
			if err := tx.SetRow(TableUser, key, nil); err == nil {
				t.Errorf("a key of %d bytes was taken", len(key))
			}
		}
		if err := tx.SetRow(TableUser, "large", make([]byte, MaxRow+1)); err == nil {
			t.Error("a row that is too large was taken")
		}
		return tx.DeleteRow(TableUser, "a/2")
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = s.View(func(tx *Tx) error {
		if b, err := tx.Row(TableUser, "a/2"); b != nil || err != nil {
			t.Errorf("a deleted row: %q, %v", b, err)
		}
		return nil
	})
}
