package protocol

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

//go:generate go test . -run TestCorpus -update

var update = flag.Bool("update", false, "write the conformance corpus instead of comparing with it")

// A file of the corpus. docs/PROTOCOL.md tells other implementations how to use it.
type corpusFile struct {
	About   string         `json:"about"`
	Type    string         `json:"type"`
	Bytes   string         `json:"bytes,omitempty"`
	Context *corpusContext `json:"context,omitempty"`
	Refused Code           `json:"refused,omitempty"`
	Field   string         `json:"field,omitempty"`
	Means   any            `json:"means,omitempty"` // the decoded listing, tombstone or part
	Steps   []setStep      `json:"steps,omitempty"` // of a set, or of its buckets
}

// corpusContext says against what is verified, by names of federation.json. Without one, decoding is all.
type corpusContext struct {
	Roster  string  `json:"roster,omitempty"`  // change, header, head, evidence: verify it; card: take it into the roster
	Charter string  `json:"charter,omitempty"` // card: verify under this charter
	Follows *string `json:"follows,omitempty"` // charter: verify that it follows this one; "" for a first charter
}

type setStep struct {
	Do     string    `json:"do"` // add, remove
	Origin MemberID  `json:"origin"`
	Epoch  uint64    `json:"epoch"`
	Seq    uint64    `json:"seq"`
	Kind   string    `json:"kind"`
	Key    RecordKey `json:"record_key"`
	Body   Hash      `json:"body_hash"`
	Bucket *byte     `json:"bucket,omitempty"` // of the record: digest is then that of this bucket alone
	Digest Hash      `json:"digest"`           // of the set after this step
}

func (s setStep) element() Element {
	kind := map[string]ChangeKind{"put": Put, "withdraw": Withdraw, "epoch": OpenEpoch}[s.Kind]
	return Element{Origin: s.Origin, Pos: Position{s.Epoch, s.Seq}, Kind: kind, Key: s.Key, Body: s.Body}
}

// corpus collects the files, by path under testdata.
type corpus struct {
	t     *testing.T
	files map[string]any
}

func (c *corpus) put(path string, v any) {
	c.t.Helper()
	if _, dup := c.files[path]; dup {
		c.t.Fatalf("two files are called %s", path)
	}
	c.files[path] = v
}

func (c *corpus) valid(name, typ, about string, b []byte, ctx *corpusContext) {
	c.t.Helper()
	c.put("valid/"+typ+"-"+name+".json", corpusFile{About: about, Type: typ, Bytes: hex.EncodeToString(b), Context: ctx, Means: meaning(typ, b)})
}

// invalid takes its field from the error itself, and refuses a case that is refused for another reason than it says.
func (c *corpus) invalid(name, typ, about string, b []byte, ctx *corpusContext, code Code) {
	c.t.Helper()
	f := corpusFile{About: about, Type: typ, Bytes: hex.EncodeToString(b), Context: ctx, Refused: code}
	_, err := check(&f)
	if got := CodeOf(err); got != code {
		c.t.Errorf("invalid/%s-%s: refused as %q, want %q: %v", typ, name, got, code, err)
		return
	}
	if n := len(All(err)); n != 1 {
		c.t.Errorf("invalid/%s-%s: %d faults, want one: %v", typ, name, n, err)
	}
	f.Field = All(err)[0].Field
	c.put("invalid/"+typ+"-"+name+".json", f)
}

func meaning(typ string, b []byte) any {
	switch typ {
	case "listing":
		l, err := DecodeListing(b)
		if err == nil {
			return l
		}
	case "tombstone":
		t, err := DecodeTombstone(b)
		if err == nil {
			return t
		}
	case "part":
		p, err := DecodePart(b)
		if err == nil {
			return struct {
				Listing ListingID `json:"listing"`
				Salt    string    `json:"salt"`
				*Record
			}{p.Listing, hex.EncodeToString(p.Salt[:]), &p.Record}
		}
	}
	return nil
}

func buildCorpus(t *testing.T) map[string]any {
	c := &corpus{t: t, files: make(map[string]any)}
	c.put("federation.json", theFederation().file())
	for name, f := range buildFeeds() {
		c.put(name, f)
	}
	buildSets(c)
	buildValid(c)
	buildWire(c)
	buildHeaders(c)
	buildRoster(c)
	buildOpenings(c)
	buildEvidence(c)
	buildHeads(c)
	buildCharters(c)
	buildFollows(c)
	buildCards(c)
	buildListings(c)
	buildParts(c)
	buildMessages(c)
	return c.files
}

func TestCorpusIsWhatTheGeneratorWrites(t *testing.T) {
	want := make(map[string][]byte)
	for path, v := range buildCorpus(t) {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		want[path] = b.Bytes()
	}
	if *update && !t.Failed() {
		writeCorpus(t, want)
	}
	for _, path := range corpusPaths(t) {
		got, err := os.ReadFile(filepath.Join("testdata", path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want[path]) {
			t.Errorf("%s differs from what the generator writes: run go generate ./protocol and look at the difference", path)
		}
		delete(want, path)
	}
	for path := range want {
		t.Errorf("%s is missing: run go generate ./protocol", path)
	}
}

// corpusPaths lists the files of the corpus; what else go test keeps in testdata (fuzz) is not of it.
func corpusPaths(t *testing.T) (paths []string) {
	err := fs.WalkDir(os.DirFS("testdata"), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".json") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func writeCorpus(t *testing.T, files map[string][]byte) {
	for _, dir := range []string{"testdata/valid", "testdata/invalid"} {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, b := range files {
		if err := os.WriteFile(filepath.Join("testdata", path), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// readCorpus gives the files of one folder as another implementation would read them.
func readCorpus(t testing.TB, dir string) map[string]corpusFile {
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpus in testdata/%s: run go generate ./protocol (%v)", dir, err)
	}
	files := make(map[string]corpusFile)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f corpusFile
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files[filepath.Base(path)] = f
	}
	return files
}

func TestCorpusValid(t *testing.T) {
	for name, f := range readCorpus(t, "valid") {
		t.Run(name, func(t *testing.T) {
			if f.Type == "set" || f.Type == "buckets" {
				checkSet(t, f.Steps)
				return
			}
			again, err := check(&f)
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			later := strings.Contains(name, "later-fields")
			if got := hex.EncodeToString(again); got != f.Bytes && !later {
				t.Errorf("written again it is\n%s, want\n%s", got, f.Bytes)
			}
		})
	}
}

func TestCorpusInvalid(t *testing.T) {
	for name, f := range readCorpus(t, "invalid") {
		t.Run(name, func(t *testing.T) {
			_, err := check(&f)
			if got := CodeOf(err); got != f.Refused {
				t.Errorf("refused as %q, want %q: %v", got, f.Refused, err)
			}
		})
	}
}

func checkSet(t *testing.T, steps []setStep) {
	var whole SetHash
	var buckets [Buckets]SetHash
	for i, step := range steps {
		s := &whole
		if step.Bucket != nil {
			if got := BucketOf(step.Key); got != *step.Bucket {
				t.Errorf("step %d: bucket %d, want %d", i+1, got, *step.Bucket)
			}
			s = &buckets[*step.Bucket]
		}
		if step.Do == "remove" {
			s.Remove(step.element())
		} else {
			s.Add(step.element())
		}
		if got := s.Digest(); got != step.Digest {
			t.Errorf("step %d: digest %s, want %s", i+1, got, step.Digest)
		}
	}
}

// check decodes and verifies one file, and returns the bytes written again from what was decoded.
func check(f *corpusFile) ([]byte, error) {
	b, err := hex.DecodeString(f.Bytes)
	if err != nil {
		return nil, err
	}
	fed := theFederation()
	ctx := f.Context
	if ctx == nil {
		return rewrite(f.Type, b)
	}
	switch f.Type {
	case "change":
		c, err := DecodeChange(b)
		if err == nil {
			err = fed.rosters[ctx.Roster].VerifyChange(c)
		}
		if err != nil {
			return nil, err
		}
	case "header":
		h, err := DecodeSignedHeader(b)
		if err == nil {
			err = fed.rosters[ctx.Roster].VerifyHeader(h)
		}
		if err != nil {
			return nil, err
		}
	case "head":
		h, err := DecodeHead(b)
		if err == nil {
			err = fed.rosters[ctx.Roster].VerifyHead(h)
		}
		if err != nil {
			return nil, err
		}
	case "evidence":
		e, err := DecodeEvidence(b)
		if err == nil {
			err = fed.rosters[ctx.Roster].VerifyEvidence(e)
		}
		if err != nil {
			return nil, err
		}
	case "charter":
		c, err := DecodeCharter(b)
		if err == nil {
			err = c.Follows(fed.charters[*ctx.Follows])
		}
		if err != nil {
			return nil, err
		}
	case "card":
		if err := checkCard(fed, b, ctx); err != nil {
			return nil, err
		}
	}
	return rewrite(f.Type, b)
}

func checkCard(fed *federation, b []byte, ctx *corpusContext) error {
	c, err := DecodeCard(b)
	switch {
	case err != nil:
		return err
	case ctx.Charter != "":
		return c.Verify(fed.charters[ctx.Charter])
	}
	_, err = fed.rosters[ctx.Roster].WithCard(c)
	return err
}

// rewrite decodes b and writes it again from the decoded values, inner messages included: not from the bytes kept.
func rewrite(typ string, b []byte) ([]byte, error) {
	wrap := func(raw []byte, sig Signature) []byte { return slices.Concat(field(1, raw), field(2, sig[:])) }
	switch typ {
	case "change":
		c, err := DecodeChange(b)
		if err != nil {
			return nil, err
		}
		e := encoder{buf: wrap(c.encode(), c.sig)}
		e.bytes(3, c.Body)
		return e.buf, nil
	case "header":
		h, err := DecodeSignedHeader(b)
		if err != nil {
			return nil, err
		}
		return wrap(h.encode(), h.sig), nil
	case "head":
		h, err := DecodeHead(b)
		if err != nil {
			return nil, err
		}
		return wrap(h.encode(), h.sig), nil
	case "opening":
		o, err := DecodeOpening(b)
		if err != nil {
			return nil, err
		}
		return wrap(o.encode(), o.sig), nil
	case "evidence":
		e, err := DecodeEvidence(b)
		if err != nil {
			return nil, err
		}
		return slices.Concat(field(1, wrap(e.A.encode(), e.A.sig)), field(2, wrap(e.B.encode(), e.B.sig))), nil
	case "card":
		c, err := DecodeCard(b)
		if err != nil {
			return nil, err
		}
		return wrap(c.encode(), c.sig), nil
	case "charter":
		c, err := DecodeCharter(b)
		if err != nil {
			return nil, err
		}
		c.raw = c.Encode()
		return c.Bytes(), nil
	}
	return rewriteMessage(typ, b)
}

func rewriteMessage(typ string, b []byte) ([]byte, error) {
	switch typ {
	case "listing":
		l, err := DecodeListing(b)
		if err != nil {
			return nil, err
		}
		return l.Encode(), nil
	case "tombstone":
		t, err := DecodeTombstone(b)
		return t.Encode(), err
	case "part":
		p, err := DecodePart(b)
		if err != nil {
			return nil, err
		}
		return p.encode(), nil
	case "record":
		r, parts, err := DecodeRecord(b)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			p.raw = p.encode()
		}
		return EncodeRecord(r, parts), nil
	case "request":
		r, err := DecodeRequest(b)
		if err != nil {
			return nil, err
		}
		return r.Encode(), nil
	case "answer":
		a, err := DecodeAnswer(b)
		if err != nil {
			return nil, err
		}
		return a.Encode(), nil
	case "gossip":
		cs, err := DecodeGossip(b)
		return EncodeGossip(cs), err
	case "papers":
		p, err := DecodePapers(b)
		if err != nil {
			return nil, err
		}
		return p.Encode(), nil
	}
	return nil, Errorf(CodeInternal, "type", "%q is no type of the corpus", typ)
}
