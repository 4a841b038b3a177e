package protocol

import "strconv"

func buildSets(c *corpus) {
	e := func(origin MemberID, seq uint64, kind ChangeKind, key RecordKey, body string) Element {
		return Element{Origin: origin, Pos: Position{1, seq}, Kind: kind, Key: key, Body: Sum([]byte(body))}
	}
	filter, pump := e("KH", 1, Put, "listing/water-filter", "filter"), e("KH", 2, Put, "listing/solar-pump", "pump")
	gone := e("KH", 3, Withdraw, "listing/solar-pump", "withdrawn")
	longKey := make([]byte, MaxRecordKey)
	for i := range longKey {
		longKey[i] = 'k'
	}
	type op struct {
		do string
		e  Element
	}
	set := func(name, about string, ops ...op) {
		f := corpusFile{About: about, Type: "set"}
		var s SetHash
		for _, o := range ops {
			if o.do == "add" {
				s.Add(o.e)
			} else {
				s.Remove(o.e)
			}
			f.Steps = append(f.Steps, setStep{Do: o.do, Origin: o.e.Origin, Epoch: o.e.Pos.Epoch, Seq: o.e.Pos.Seq, Kind: o.e.Kind.String(),
				Key: o.e.Key, Body: o.e.Body, Digest: s.Digest()})
		}
		c.put("valid/set-"+name+".json", f)
	}
	set("two-records", "Two records, of which the second is then withdrawn: its element is replaced by the tombstone's.",
		op{"add", filter}, op{"add", pump}, op{"remove", pump}, op{"add", gone})
	set("order", "The same set as two-records, reached in another order, ends in the same digest.",
		op{"add", gone}, op{"add", filter})
	set("empty", "A set that became empty has the digest of 2,048 zero bytes.", op{"add", filter}, op{"remove", filter})
	set("borrow", "Removing from the empty set wraps every lane below zero; adding brings it back.", op{"remove", filter}, op{"add", filter})
	buckets := corpusFile{About: "The set in buckets, by the first byte of SHA-256 over the record key: each step changes one bucket, and digest is that of this bucket alone.", Type: "buckets"}
	var parts [Buckets]SetHash
	for _, o := range []op{{"add", filter}, {"add", pump}, {"remove", pump}, {"add", gone}, {"add", e("KH", 4, Put, "report/2026-09/r1", "report")},
		{"add", e("KH", 5, Put, inBucketOf(filter.Key), "neighbour")}} {
		n := BucketOf(o.e.Key)
		if o.do == "add" {
			parts[n].Add(o.e)
		} else {
			parts[n].Remove(o.e)
		}
		buckets.Steps = append(buckets.Steps, setStep{Do: o.do, Origin: o.e.Origin, Epoch: o.e.Pos.Epoch, Seq: o.e.Pos.Seq, Kind: o.e.Kind.String(),
			Key: o.e.Key, Body: o.e.Body, Bucket: &n, Digest: parts[n].Digest()})
	}
	c.put("valid/buckets.json", buckets)
	set("extremes", "The longest origin and record key, the largest epoch and seq, and a report.",
		op{"add", Element{Origin: "ABCDEFGHIJKLMNOP", Pos: Position{MaxNumber, MaxNumber}, Kind: OpenEpoch, Key: RecordKey(longKey), Body: Sum(nil)}},
		op{"add", e("LA", 1, Put, "report/2026-09/r1", "report")})
}

// inBucketOf finds another record of the same bucket.
func inBucketOf(key RecordKey) RecordKey {
	for i := 1; ; i++ {
		if other := ListingID("neighbour-" + strconv.Itoa(i)).Key(); BucketOf(other) == BucketOf(key) {
			return other
		}
	}
}
