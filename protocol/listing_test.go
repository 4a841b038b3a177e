package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// randomListing is valid, whatever r gives.
func randomListing(r *rand.Rand) *Listing {
	pick := func(n int, code func(i int) string) (list []string) {
		for _, i := range r.Perm(n)[:r.IntN(min(n, MaxCodes)+1)] {
			list = append(list, code(i))
		}
		return list
	}
	words := func(most int) string {
		runes := []rune("aZ9 éក稻😀-,.'")
		s := []rune{'x'}
		for range r.IntN(most) {
			s = append(s, runes[r.IntN(len(runes))])
		}
		return string(s)
	}
	l := &Listing{ID: ListingID(fmt.Sprintf("id-%d", r.Uint32())), Kind: Kinds()[r.IntN(6)], Country: "KH", Texts: make(map[Lang]Text)}
	langs := []Lang{"en", "km", "th", "zh-Hant", "id"}
	for _, i := range r.Perm(len(langs))[:1+r.IntN(len(langs))] {
		t := Text{Title: words(MaxTitle)}
		if r.IntN(2) == 0 {
			t.Value, t.Abstract = words(MaxValue), words(200)+"\n"
		}
		for range r.IntN(MaxKeywords + 1) {
			t.Keywords = append(t.Keywords, words(20))
		}
		l.Texts[langs[i]] = t
	}
	if r.IntN(2) == 0 {
		l.Organisation = Organisation{Name: words(50), Type: "company"}
		l.Region, l.URL, l.Full, l.Demonstration = "KH-12", "https://a.example/é", Sum([]byte(l.ID)), true
		l.Published = Date(1 + r.IntN(1000))
		l.ValidUntil = l.Published + Date(r.IntN(1000))
	}
	l.TRL, l.Updated = uint8(r.IntN(10)), Instant(r.Int64N(maxInstant))
	l.IPR = pick(20, func(i int) string { return fmt.Sprintf("ipr-%d", i) })
	l.FORD = pick(6, func(i int) string { return fmt.Sprintf("%d.%d", i+1, i+1) })
	l.ISIC = pick(90, func(i int) string { return fmt.Sprintf("C%d", i+10) })
	l.IPC = pick(26, func(i int) string { return fmt.Sprintf("A01%c", 'A'+i) })
	for _, i := range r.Perm(17)[:r.IntN(MaxCodes+1)] {
		l.SDG = append(l.SDG, uint16(i+1))
	}
	return l
}

func TestListingRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		l := randomListing(r)
		if err := l.Validate(); err != nil {
			t.Fatalf("the test made an invalid listing: %v", err)
		}
		b := l.Encode()
		got, err := DecodeListing(b)
		if err != nil || !reflect.DeepEqual(got, l) {
			t.Fatalf("decoded %+v, %v\nwant %+v", got, err, l)
		}
		if !bytes.Equal(got.Encode(), b) {
			t.Fatal("encoding it again gives other bytes")
		}
		j, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		got = new(Listing)
		if err := json.Unmarshal(j, got); err != nil || !reflect.DeepEqual(got, l) {
			t.Fatalf("from JSON %+v, %v\nwant %+v\n%s", got, err, l, j)
		}
	}
}

// What Validate accepts, every node decodes: else an origin could sign what marks its listing unusable everywhere.
func TestValidListingsDecode(t *testing.T) {
	for _, region := range []string{"TH-", "TH-5000", "TH-\x00", "TH-\xff", "TH-aa", "KH-1", "TH"} {
		l := fullListing()
		l.Region = region
		if l.Validate() == nil {
			t.Errorf("region %q is accepted", region)
		}
	}
	l := fullListing()
	for _, lang := range []Lang{"id", "km", "lo", "ms", "my", "vi", "fil"} {
		l.Texts[lang] = Text{Title: "t", Abstract: strings.Repeat("稻", MaxAbstract)}
	}
	if err := l.Validate(); CodeOf(err) != CodeTooLarge {
		t.Errorf("a listing of %d bytes: %v, want it refused as too large", len(l.Encode()), err)
	}
	for _, x := range []Tombstone{{Reason: "other", At: -1}, {Reason: "other", Kind: "XX"}, {Reason: "other", Published: maxDate + 1}} {
		if CodeOf(x.Validate()) != CodeValue {
			t.Errorf("%+v is accepted", x)
		}
	}
}

func TestListingJSON(t *testing.T) {
	const least = `{"id":"solar-pump","kind":"TO","country":"KH","texts":{"en":{"title":"Solar pump"}}}`
	b, err := json.Marshal(leastListing())
	if err != nil || string(b) != least {
		t.Errorf("%s, %v; want %s", b, err, least)
	}
}

func TestListingText(t *testing.T) {
	l := fullListing()
	delete(l.Texts, "en")
	for _, x := range []struct {
		wanted []Lang
		want   Lang
	}{{[]Lang{"km", "zh-Hant"}, "zh-Hant"}, {[]Lang{"km"}, "th"}, {nil, "th"}} {
		if got, _ := l.Text(x.wanted...); got != x.want {
			t.Errorf("of %v: %s, want %s", x.wanted, got, x.want)
		}
	}
	if got, _ := fullListing().Text("km"); got != "en" {
		t.Errorf("without the wanted language: %s, want English", got)
	}
	if got, _ := new(Listing).Text("km"); got != "" {
		t.Errorf("of a listing without texts: %q", got)
	}
}

func TestExpired(t *testing.T) {
	l := Listing{ValidUntil: 100}
	if l.Expired(100) || !l.Expired(101) || new(Listing).Expired(101) {
		t.Error("a listing is expired after its last valid day, and never without one")
	}
}
