package passkey

import (
	"testing"

	"github.com/asean-tmh/tmh/store"
)

// BenchmarkSignIn is a whole sign-in on a store on disk: challenge, signature, and the use noted durably. The device's own
// work, one signature, is left out of it.
func BenchmarkSignIn(b *testing.B) {
	d, dev := newDesk(b), newDevice(b)
	disk, err := store.Open(store.Config{Dir: b.TempDir(), MinFree: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := disk.Close(); err != nil {
			b.Error(err)
		}
	}()
	d.store, d.cfg.Store = disk, disk
	d.add(sok, dev)
	b.ReportAllocs()
	for b.Loop() {
		begun := d.beginSignIn()
		b.StopTimer()
		answer := dev.get(begun)
		b.StartTimer()
		if _, err := d.FinishSignIn(begun.Ceremony, answer, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPending is what one challenge costs while strangers have filled the list.
func BenchmarkPending(b *testing.B) {
	d := newDesk(b)
	for range maxSignIns {
		d.beginSignIn()
	}
	b.ReportAllocs()
	for b.Loop() {
		d.beginSignIn()
	}
}
