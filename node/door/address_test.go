package door

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, s := range texts {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func TestClientAddress(t *testing.T) {
	trusted := prefixes("127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32")
	for _, c := range []struct {
		peer    string
		headers []string
		want    string
	}{
		{"192.0.2.1:5000", nil, "192.0.2.1"},
		{"192.0.2.1:5000", []string{"198.51.100.7"}, "192.0.2.1"}, // a stranger's word
		{"127.0.0.1:5000", nil, "127.0.0.1"},
		{"127.0.0.1:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"1.2.3.4, 198.51.100.7"}, "198.51.100.7"}, // the left one is the client's own claim
		{"127.0.0.1:5000", []string{"1.2.3.4", "198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"198.51.100.7, 10.1.1.1 ,10.2.2.2"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"198.51.100.7, 10.1.1.1", "10.2.2.2"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1"}, // nobody but proxies
		{"127.0.0.1:5000", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"[2001:db9::7]:4711"}, "2001:db9::7"},
		{"127.0.0.1:5000", []string{"2001:db9::7"}, "2001:db9::7"},
		{"127.0.0.1:5000", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"[::ffff:127.0.0.1]:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"[2001:db8::1]:5000", []string{"198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:5000", []string{"198.51.100.7, unknown"}, "127.0.0.1"}, // the nearest proxy did not know
		{"127.0.0.1:5000", []string{"198.51.100.7, unknown, 10.1.1.1"}, "10.1.1.1"},
		{"127.0.0.1:5000", []string{""}, "127.0.0.1"},
		{"127.0.0.1:5000", []string{"198.51.100.7,"}, "127.0.0.1"},
		{"127.0.0.1:5000", []string{"198.51.100.7", ""}, "127.0.0.1"},
		{"@", []string{"198.51.100.7"}, "invalid IP"},
		{"", nil, "invalid IP"},
		{"127.0.0.1:5000", []string{"198.51.100.7" + strings.Repeat(", 10.1.1.1", 100)}, "10.1.1.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.headers}}
		if got := clientAddress(trusted, r).String(); got != c.want {
			t.Errorf("%s with %.80q: %s, want %s", c.peer, c.headers, got, c.want)
		}
	}
	r := &http.Request{RemoteAddr: "127.0.0.1:5000", Header: http.Header{"X-Forwarded-For": {"198.51.100.7"}}}
	if got := clientAddress(nil, r).String(); got != "127.0.0.1" {
		t.Errorf("without trusted proxies: %s", got)
	}
}

// Whatever a client writes itself: behind an honest proxy, which adds the client's address on the right, it is known by that
// address, and nothing it writes makes it another.
func FuzzClientAddress(f *testing.F) {
	f.Add("10.0.0.1", "198.51.100.7", "127.0.0.1:5000")
	f.Add("\r\n, ,,", "2001:db9::1", "10.0.0.1:1")
	f.Add(strings.Repeat("1.1.1.1,", 1000), "192.0.2.1", "192.0.2.1:80")
	trusted := prefixes("127.0.0.0/8", "10.0.0.0/8")
	tell := func(r *http.Request) netip.Addr { return clientAddress(trusted, r) }
	f.Fuzz(func(t *testing.T, claims, client, peer string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {claims}}}
		at := address(peer)
		if got := tell(r); at.IsValid() && !trusted[0].Contains(at) && !trusted[1].Contains(at) && got != at {
			t.Errorf("a stranger at %s is taken for %s", at, got)
		}
		addr, err := netip.ParseAddr(client)
		if err != nil || trusted[0].Contains(addr.Unmap()) || trusted[1].Contains(addr.Unmap()) {
			return
		}
		r.RemoteAddr = "10.0.0.1:4000"
		for _, headers := range [][]string{{claims + ", " + client}, {claims, client}, {claims, client + ", 10.0.0.2"}} {
			r.Header["X-Forwarded-For"] = headers
			if got := tell(r); got != addr.Unmap().WithZone("") {
				t.Errorf("%q: %s, want %s", headers, got, addr)
			}
		}
	})
}
