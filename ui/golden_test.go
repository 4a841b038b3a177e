package ui_test

import (
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/asean-tmh/tmh/ui"
	"github.com/asean-tmh/tmh/ui/lang"
)

var update = flag.Bool("update", false, "write the pages of testdata/golden anew")

// mainPages have most of the view models behind them; the doors' pages are walked through in other tests.
func mainPages() map[string]string {
	return map[string]string{
		"start": "/", "search": "/?q=fish&kind=TO&trl_min=2&origin=TH&sort=newest", "listing": dryerPage, "thai": "/listings/TH/TR-TH-7", "unusable": "/listings/VN/TO-VN-9",
		"withdrawn": "/listings/VN/TO-VN-8", "held": "/listings/VN/TO-VN-7", "federation": "/federation", "figures": "/figures", "none": "/nowhere", "faulty": "/?kind=zz",
	}
}

// TestEveryLanguage: each page in each language has what every page has, says its language, and shows no key. What is not
// translated yet is in English, and says so.
func TestEveryLanguage(t *testing.T) {
	h, misses := ui.Spoken(ui.Config{Desk: full(), Name: "Cambodia", Demonstration: true, Version: "0.1", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	empty, home := pages(&desk{}), newHome(t, nil)
	home.publish(0, rich())
	admin := home.setUp()
	b, err := lang.Open()
	if err != nil {
		t.Fatal(err)
	}
	keys := regexp.MustCompile(`\b(` + strings.ReplaceAll(strings.Join(b.Keys(), "|"), ".", `\.`) + `)\b`)
	for _, tagged := range ui.Languages() {
		all := map[string]*html.Node{}
		for name, target := range mainPages() {
			all[name] = audit(t, string(tagged)+" "+name, get(h, target, "Accept-Language", string(tagged)))
		}
		all["empty"] = audit(t, string(tagged)+" empty", get(empty, "/", "Accept-Language", string(tagged)))
		all["nothing"] = audit(t, string(tagged)+" nothing", get(empty, "/?q=x&kind=TO", "Accept-Language", string(tagged)))
		admin.cookies["lang"] = string(tagged)
		for _, target := range []string{"/account", "/account/erase", dryerPage + "/full"} {
			all[target] = admin.look(target, 200)
		}
		stranger := home.browser()
		stranger.cookies["lang"] = string(tagged)
		for _, target := range []string{"/sign-in", "/reset", "/signed-out", dryerPage + "/full"} {
			all["stranger "+target] = stranger.look(target, 200)
		}
		all["dead link"] = stranger.look("/setup?key=x", 404)
		fallen := 0
		for name, root := range all {
			if got := attr(find(root, tag("html"))[0], "lang"); got != string(tagged) {
				t.Errorf("%s %s: is in %s", tagged, name, got)
			}
			if found := keys.FindString(text(root)); found != "" && strings.Contains(found, ".") {
				t.Errorf("%s %s: shows the key %s", tagged, name, found)
			}
			for _, bad := range []string{"{{", "&lt;a&gt;", "<no value>", "%!"} {
				if strings.Contains(text(root), bad) {
					t.Errorf("%s %s: shows %s", tagged, name, bad)
				}
			}
			fallen += len(find(root, func(n *html.Node) bool { return n.Data == "span" && attr(n, "lang") == "en" }))
		}
		for _, m := range misses() {
			if m.Lang == lang.English || m.Why != "not translated" {
				t.Errorf("%s: %s: %s", m.Lang, m.Key, m.Why)
			}
		}
		t.Logf("%s: %d texts of the interface lack a translation; %d places in English on %d pages", tagged, len(b.Missing(tagged)), fallen, len(all))
	}
}

// TestGolden keeps the whole of the main pages in sight: a change of words or of markup shows in review.
func TestGolden(t *testing.T) {
	h := pages(full())
	nonce, hash := regexp.MustCompile(`nonce="[\w-]+"`), regexp.MustCompile(`(/static/[\w-]+)-[0-9a-f]{12}\.`)
	for _, tagged := range []string{"en", "km"} {
		for _, name := range []string{"start", "search", "listing", "federation", "figures", "none"} {
			w := get(h, mainPages()[name], "Accept-Language", tagged)
			if w.Code != http.StatusOK && name != "none" {
				t.Errorf("%s: %d", name, w.Code)
			}
			got := hash.ReplaceAllString(nonce.ReplaceAllString(w.Body.String(), `nonce="N"`), "$1.")
			file := filepath.Join("testdata", "golden", name+"."+tagged+".html")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is another page now: look at the change, then go test ./ui -run TestGolden -update\n%s", file, firstDifference(got, string(want)))
			}
		}
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return "got  " + a[i] + "\nwant " + strings.Join(b[min(i, len(b)):min(i+1, len(b))], "")
		}
	}
	return "it is shorter"
}
