package oai

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// No string but what token wrote is taken for a token, whatever it decodes to.
func FuzzToken(f *testing.F) {
	s := newSite(f)
	l := list{verb: "ListRecords", prefix: "oai_dc", set: "kind:TO", from: 1, until: start, given: 3, last: "t/KH/TO/006b49d200/A"}
	token := s.provider.token(l)
	other := &Provider{key: []byte("another secret")}
	for _, seed := range []string{token, token + "\n", token[:20], other.token(l), "", "AAAA", strings.Repeat("A", 2*maxToken), "%%%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := s.provider.parseToken(text)
		if ok && (got != l || text != token) {
			t.Errorf("%q is taken for %+v", text, got)
		}
		if text == token && !ok {
			t.Error("the token itself is refused")
		}
	})
}

// Every token is read as it was written.
func FuzzTokenRoundTrip(f *testing.F) {
	s := newSite(f)
	f.Add(true, "oai_dc", "kind:TO", int64(0), int64(start), uint64(100))
	f.Add(false, "", "", int64(-1), int64(1<<62), uint64(1<<63))
	f.Fuzz(func(t *testing.T, records bool, prefix, set string, from, until int64, given uint64) {
		if len(prefix)+len(set) > 500 {
			return
		}
		l := list{verb: listVerbs()[0], prefix: prefix, set: set, from: from, until: until, given: given, last: "t/KH/TO/006b49d200/A"}
		if records {
			l.verb = listVerbs()[1]
		}
		token := s.provider.token(l)
		if got, ok := s.provider.parseToken(token); !ok || got != l {
			t.Errorf("%+v became %+v", l, got)
		}
		last := token[len(token)-1:]
		for _, bad := range []string{token[:len(token)-1], token + "A", token[:len(token)-1] + strings.Map(func(r rune) rune { return r ^ 1 }, last)} {
			if _, ok := s.provider.parseToken(bad); ok {
				t.Errorf("%q is taken for %q", bad, token)
			}
		}
	})
}

// Whatever is asked, the answer is well-formed, of bounded size, and repeats no argument that was not understood.
func FuzzRequest(f *testing.F) {
	s := newSite(f)
	s.put("KH", "A", "A & B")
	s.withdraw("KH", "A", "error")
	s.put("KH", "B", "B")
	s.settled()
	for _, q := range []string{
		"", "verb=Identify", "verb=ListSets", "verb=ListMetadataFormats&identifier=oai:tmh.example.org:KH/A", "verb=ListRecords&metadataPrefix=oai_dc&from=2023-11-14&until=2023-11-15&set=kind:TO",
		"verb=GetRecord&metadataPrefix=tmh&identifier=oai:tmh.example.org:KH/B", "verb=ListIdentifiers&metadataPrefix=oai_dc&from=2023-11-14T08:00:00Z",
		"verb=ListRecords&resumptionToken=%22%3E%3Cx%3E", "verb=%00&verb=%ff", "verb=GetRecord&identifier=%22%00%EF%BF%BE&metadataPrefix=oai_dc", "%", ";&;=",
	} {
		f.Add(q, false)
		f.Add(q, true)
	}
	f.Fuzz(func(t *testing.T, query string, post bool) {
		r := httptest.NewRequest(http.MethodGet, "/oai", nil)
		r.URL.RawQuery = query
		if post {
			r = httptest.NewRequest(http.MethodPost, "/oai", strings.NewReader(query))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		s.provider.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.Len() > 8*maxQuery {
			t.Fatalf("HTTP %d, %d bytes", w.Code, w.Body.Len())
		}
		roots, depth := 0, 0
		for d := xml.NewDecoder(bytes.NewReader(w.Body.Bytes())); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			switch token.(type) {
			case xml.StartElement:
				if depth == 0 {
					roots++
				}
				depth++
			case xml.EndElement:
				depth--
			}
		}
		if roots != 1 {
			t.Fatalf("%d roots in %s", roots, w.Body)
		}
	})
}
