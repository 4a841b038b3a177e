package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/protocol"
)

func headerOf(member protocol.MemberID) BackupHeader {
	return BackupHeader{Member: member, Created: time.Unix(1_800_000_000, 0).UTC(), Version: "test"}
}

// backedUp is a backup in memory.
func backedUp(t testing.TB, s *Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b, headerOf("KH")); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// loaded makes a store of a backup.
func loaded(t testing.TB, b []byte) *Store {
	t.Helper()
	dir := t.TempDir()
	r, err := OpenBackup(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), Config{Dir: dir, Memtable: 8 << 20, MinFree: 1}, r, nil); err != nil {
		t.Fatal(err)
	}
	return open(t, Config{Dir: dir})
}

// contents are all entries of a backup, whose checksum is compared.
func contents(t testing.TB, b []byte) map[string]string {
	t.Helper()
	r, err := OpenBackup(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	if _, err := r.Each(func(k, v []byte) error { all[string(k)] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// A backup holds the newest of everything, nothing superseded, nothing deleted, and gives the same store again.
func TestBackupHoldsWhatIsLive(t *testing.T) {
	f := federation(t)
	both(t, func(t *testing.T, s *Store) {
		live := make(map[int]int)
		markedHistory(t, s, f, 0, 300, live)
		update(t, s, func(tx *Tx) error {
			return errors.Join(tx.SetFull("listing/a", []byte("<body full>")), tx.SetFull("listing/b", []byte("kept")))
		})
		update(t, s, func(tx *Tx) error { return tx.SetFull("listing/a", nil) })
		b := backedUp(t, s)
		all := contents(t, b)
		want := make(map[string]bool)
		for record, revision := range live {
			want[marker(record, revision)] = true
		}
		found := 0
		for _, v := range all {
			if i := bytes.Index([]byte(v), []byte("<body ")); i >= 0 {
				m := v[i : i+bytes.IndexByte([]byte(v[i:]), '>')+1]
				if found++; !want[m] {
					t.Errorf("the backup holds %s", m)
				}
			}
		}
		if found != len(live) {
			t.Errorf("%d live bodies in the backup, want %d", found, len(live))
		}
		if again := backedUp(t, s); !bytes.Equal(again, b) {
			t.Error("equal contents made another backup")
		}
		copied := loaded(t, b)
		if *proven(t, copied, "KH") != *proven(t, s, "KH") {
			t.Error("another frontier")
		}
		if back := contents(t, backedUp(t, copied)); len(back) != len(all) {
			t.Errorf("the restored store holds %d entries, want %d", len(back), len(all))
		} else {
			for k, v := range all {
				if back[k] != v {
					t.Fatalf("%q differs", k)
				}
			}
		}
	})
}

// While four writers publish, every backup is one consistent state: each set is proven at its frontier.
func TestBackupWhileWriting(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	f := federation(t)
	s := open(t, Config{Dir: t.TempDir()})
	stop := make(chan struct{})
	var work sync.WaitGroup
	for w := range 4 {
		origin := []protocol.MemberID{"KH", "LA"}[w%2]
		work.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := author(s, f, origin, puts(w*50, w*50+20+i%40, fmt.Sprint("writer ", w, " round ", i))...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var first, last uint64
	for round := range rounds {
		copied := loaded(t, backedUp(t, s))
		kh, la := proven(t, copied, "KH"), proven(t, copied, "LA")
		if last = kh.Proven.Seq + la.Proven.Seq; round == 0 {
			first = last
		}
	}
	close(stop)
	work.Wait()
	if last <= first {
		t.Error("nothing was written between the backups: the test shows nothing")
	}
	t.Logf("%d backups, the last of %d changes", rounds, last)
}

// Every truncation, and every altered byte, is found before anybody takes the backup for whole.
func TestDamagedBackupsAreFound(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	mustAuthor(t, s, f, "KH", puts(0, 40, "text")...)
	b := backedUp(t, s)
	read := func(b []byte) error {
		r, err := OpenBackup(bytes.NewReader(b))
		if err != nil {
			return err
		}
		_, err = r.Each(func(_, _ []byte) error { return nil })
		return err
	}
	if err := read(b); err != nil {
		t.Fatal(err)
	}
	codes := make(map[protocol.Code]int)
	for i := range b {
		err := read(b[:i])
		if err == nil {
			t.Fatalf("the first %d of %d bytes were taken for whole", i, len(b))
		}
		if code := protocol.CodeOf(err); i >= len(backupMagic) && code != protocol.CodeTruncated {
			t.Errorf("cut after %d of %d bytes: %v", i, len(b), err)
		}
		altered := bytes.Clone(b)
		altered[i] ^= 1 << (i % 8)
		if err = read(altered); err == nil {
			t.Fatalf("byte %d of %d was altered without notice", i, len(b))
		}
		codes[protocol.CodeOf(err)]++
	}
	if err := read(append(bytes.Clone(b), 'x')); protocol.CodeOf(err) != protocol.CodeBody {
		t.Errorf("something after the end: %v", err)
	}
	t.Logf("%d bytes altered, one at a time: %v", len(b), codes)
	fault := errors.New("disk")
	r, err := OpenBackup(io.MultiReader(bytes.NewReader(b[:len(b)/2]), failing{fault}))
	if err == nil {
		_, err = r.Each(func(_, _ []byte) error { return nil })
	}
	if !errors.Is(err, fault) {
		t.Errorf("a disk that fails is told as %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzBackup(f *testing.F) {
	s := open(f, Config{})
	b := backedUp(f, s)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte(backupMagic + "{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := OpenBackup(bytes.NewReader(b))
		if err == nil {
			_, _ = r.Each(func(_, _ []byte) error { return nil })
		}
	})
}

func TestSaveBackup(t *testing.T) {
	f := federation(t)
	s := open(t, Config{})
	mustAuthor(t, s, f, "KH", puts(0, 40, "text")...)
	dir := t.TempDir()
	save := Saving{Dir: dir, Data: dir, MinFree: 1, Produce: func(w io.Writer) error {
		_, err := s.Backup(t.Context(), w, headerOf("KH"))
		return err
	}}
	path, h, n, err := SaveBackup(save)
	if err != nil || filepath.Base(path) != "KH-20270115T080000Z.tmhbackup" || h.Member != "KH" || n.Entries == 0 {
		t.Fatal(path, h, n, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v: it holds full records, which nobody else may read", info.Mode(), err)
	}
	only := func(when string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: %v remain: %v", when, entries, err)
		}
	}
	only("complete")
	if _, _, _, err := SaveBackup(save); err == nil {
		t.Error("a backup was written over another one")
	}
	only("the same name")
	fault := errors.New("half-way")
	save.Produce = func(w io.Writer) error { _, _ = w.Write([]byte(backupMagic)); return fault }
	if _, _, _, err := SaveBackup(save); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	only("failed")
	save.Produce = func(w io.Writer) error { _, err := w.Write(backedUp(t, s)[:300]); return err }
	if _, _, _, err := SaveBackup(save); protocol.CodeOf(err) != protocol.CodeTruncated {
		t.Errorf("got %v", err)
	}
	only("truncated")
	save.MinFree = 1 << 60
	save.Produce = func(w io.Writer) error { _, err := s.Backup(t.Context(), w, headerOf("KH")); return err }
	if _, _, _, err := SaveBackup(save); protocol.CodeOf(err) != protocol.CodeReadOnly {
		t.Errorf("where the node would have too little left: %v", err)
	}
	only("no room")
}

func TestTidyBackups(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 5 {
		write(BackupName("KH", at.AddDate(0, i, 0)))
	}
	for _, other := range []string{"KHX-20200101T000000Z.tmhbackup", "KH-note.tmhbackup", "KH-20200101T000000Z.tmhbackup.gz"} {
		write(other)
	}
	write("backup-1.part")
	if err := TidyBackups(dir, "KH", 2, at.AddDate(0, 4, 0)); err != nil {
		t.Fatal(err)
	}
	paths, times, err := Backups(dir, "KH")
	if err != nil || len(paths) != 2 || !times[0].Equal(at.AddDate(0, 3, 0)) {
		t.Errorf("%v %v", paths, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 5 {
		t.Errorf("%v", entries)
	}
	// A clock that was ahead named two of them: the one just written stays.
	if err := TidyBackups(dir, "KH", 1, at); err != nil {
		t.Fatal(err)
	}
	write(BackupName("KH", at))
	write(BackupName("KH", at.AddDate(1, 0, 0)))
	if err := TidyBackups(dir, "KH", 1, at); err != nil {
		t.Fatal(err)
	}
	if _, times, err := Backups(dir, "KH"); err != nil || len(times) != 1 || !times[0].Equal(at) {
		t.Errorf("%v %v", times, err)
	}
}

// Looking at a database that a kill left behind changes not one byte of it, and keeps its node from opening it meanwhile.
func TestOpenReadOnlyChangesNothing(t *testing.T) {
	dir := t.TempDir()
	acks := runAndKill(t, dir, 30, 2*time.Millisecond)
	db := filepath.Join(dir, "db")
	before := snapshot(t, db)
	guard, held, err := ReadGuard(filepath.Join(dir, "guard"))
	if err != nil || !held {
		t.Fatal(held, err)
	}
	s, err := OpenReadOnly(Config{Dir: db, Memtable: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	c := proven(t, s, "KH")
	if last := acks[len(acks)-1].seq; c.Proven.Seq < last || guard.Pos.Seq < last {
		t.Errorf("the copy ends at %s, the guard at %s, and %d was acknowledged", c.Proven, guard.Pos, last)
	}
	if _, err := Open(Config{Dir: db, Memtable: 8 << 20, MinFree: 1}); err == nil {
		t.Error("a node could open what is being looked at")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after := snapshot(t, db)
	if len(after) != len(before) {
		t.Errorf("%d files, before %d", len(after), len(before))
	}
	for name, b := range before {
		if !bytes.Equal(after[name], b) {
			t.Errorf("%s was changed", name)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("something remained: %v", entries)
	}
	s = open(t, Config{Dir: db})
	if _, err := OpenReadOnly(Config{Dir: db, Memtable: 8 << 20}); protocol.CodeOf(err) != protocol.CodeConflict {
		t.Errorf("a running node's database was opened: %v", err)
	}
	if again := proven(t, s, "KH"); *again != *c {
		t.Error("another frontier")
	}
	g := openGuard(t, filepath.Join(dir, "guard"))
	defer g.Close()
	if _, _, err := ReadGuard(filepath.Join(dir, "guard")); protocol.CodeOf(err) != protocol.CodeConflict {
		t.Errorf("a held guard was read: %v", err)
	}
	if _, err := LockGuard(filepath.Join(dir, "guard")); protocol.CodeOf(err) != protocol.CodeConflict {
		t.Errorf("a held guard was locked: %v", err)
	}
}

func snapshot(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What a kill left behind is removed by the next run; what another process works in is not.
func TestScratchFoldersGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	left := path + ".copy-left"
	if err := os.MkdirAll(filepath.Join(left, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	first, remove, err := Scratch(path, "copy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left is still there: %v", err)
	}
	second, removeSecond, err := Scratch(path, "copy")
	if err != nil || second == first {
		t.Fatal(second, err)
	}
	if _, err := os.Stat(first); err != nil {
		t.Errorf("a folder in use was removed: %v", err)
	}
	if err := errors.Join(remove(), removeSecond()); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 0 {
		t.Errorf("%v remain: %v", entries, err)
	}
}

// TestBackupTime measures: go test ./store -run BackupTime -scrub.records 100000 -v.
func TestBackupTime(t *testing.T) {
	if *scrubRecords == 0 {
		t.Skip("a measurement: run with -scrub.records 100000")
	}
	f := federation(t)
	s := open(t, Config{Dir: t.TempDir(), Memtable: 64 << 20})
	for from := 0; from < *scrubRecords; from += 500 {
		var batch []draft
		for record := from; record < from+500; record++ {
			batch = append(batch, marked(record, 0, 1400))
		}
		mustAuthor(t, s, f, "KH", batch...)
	}
	dir := t.TempDir()
	start := time.Now()
	path, _, n, err := SaveBackup(Saving{Dir: dir, Data: dir, MinFree: 1, Produce: func(w io.Writer) error {
		_, err := s.Backup(t.Context(), w, headerOf("KH"))
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d entries, %d MB, %d MB compressed: written and read back in %s", n.Entries, n.Bytes/1e6, info.Size()/1e6, time.Since(start))
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	start = time.Now()
	r, err := OpenBackup(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), Config{Dir: filepath.Join(dir, "data"), MinFree: 1}, r, nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("loaded in %s", time.Since(start))
}
