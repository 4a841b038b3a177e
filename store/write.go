package store

// MaxWrite is how many bytes of keys and values one transaction may hold: Badger takes 15% of a memtable. Update fails
// beyond it, so whoever gathers a transaction has to end it before.
func (s *Store) MaxWrite() int64 { return s.db.MaxBatchSize() }
