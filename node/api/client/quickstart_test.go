package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	nodes        = 12
	thailand     = 9 // of the members' places in the alphabet
	vietNam      = 11
	within       = 2 * time.Second
	englishTitle = "Rice-husk silica that keeps mangoes firm in transit"
	thaiTitle    = "ซิลิกาจากแกลบช่วยให้มะม่วงแน่นนานขึ้นระหว่างขนส่ง"
)

// TestQuickStart is README's quick start for other programs, taken with the generated client.
func TestQuickStart(t *testing.T) {
	if testing.Short() {
		t.Skip("twelve nodes take half a minute")
	}
	d := demonstrate(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	operator := open(t, "http://node", WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(d.dir, ".demo", "TH", "tmh.sock"))
	}}}))
	token, err := operator.TokenCreateWithResponse(ctx, &TokenCreateParams{}, TokenInputBody{
		Email: new("editor@th.example"), Name: "quick start", Scopes: []string{"read", "write"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if token.JSON201 == nil {
		t.Fatalf("token: %s", token.Body)
	}

	editor := open(t, d.at(thailand), WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token.JSON201.Secret)
		return nil
	}))
	offer := DraftRequest{Listing: ListingDraft{Kind: new("TO"), Trl: new(int32(6)), Texts: &map[string]Text{
		"en": {Title: englishTitle, Abstract: new("A sachet of silica made of rice husks takes up the ethylene of ripening mangoes.")},
		"th": {Title: thaiTitle},
	}}}
	key := &DraftParams{IdempotencyKey: new(rand.Text())}
	draft, err := editor.DraftWithResponse(ctx, key, offer)
	if err != nil {
		t.Fatal(err)
	}
	if draft.JSON201 == nil || draft.Headers201.ETag == nil {
		t.Fatalf("draft: %s", draft.Body)
	}
	id := draft.JSON201.Posting.Id
	again, err := editor.DraftWithResponse(ctx, key, offer)
	if err != nil {
		t.Fatal(err)
	}
	if again.JSON201 == nil || again.JSON201.Posting.Id != id {
		t.Fatalf("the same draft again, with the same key: %s", again.Body)
	}
	sent, err := editor.SubmitWithResponse(ctx, id, &SubmitParams{IfMatch: draft.Headers201.ETag})
	if err != nil {
		t.Fatal(err)
	}
	if sent.JSON200 == nil || sent.JSON200.State != "published" {
		t.Fatalf("submit: %s", sent.Body)
	}
	start := time.Now()
	seeker := open(t, d.at(vietNam))
	await(t, within, "Viet Nam finds the offer", func() bool {
		found, err := seeker.SearchWithResponse(ctx, &SearchParams{Q: "giữ xoài tươi lâu bằng vỏ trấu", Limit: new(int64(1))})
		if err != nil {
			t.Fatal(err)
		}
		if found.JSON200 == nil {
			t.Fatalf("match: %s", found.Body)
		}
		hits := found.JSON200.Hits
		return len(hits) == 1 && hits[0].Id == id && hits[0].Listing.Texts["en"].Title == englishTitle && hits[0].Listing.Texts["th"].Title == thaiTitle
	})
	t.Logf("found in Viet Nam %d ms after it was published in Thailand", time.Since(start).Milliseconds())

	ended, err := editor.WithdrawPostingWithResponse(ctx, id, &WithdrawPostingParams{IfMatch: sent.Headers200.ETag}, WithdrawalBody{Reason: "agreement"})
	if err != nil {
		t.Fatal(err)
	}
	if ended.JSON200 == nil || ended.JSON200.State != "withdrawn" {
		t.Fatalf("withdraw: %s", ended.Body)
	}
	for i := range nodes {
		visitor := open(t, d.at(i))
		await(t, within, d.at(i)+" knows that the offer is gone", func() bool {
			left, err := visitor.GetWithResponse(ctx, "TH", id, &GetParams{})
			if err != nil {
				t.Fatal(err)
			}
			gone := left.ApplicationproblemJSON410
			return gone != nil && gone.Tombstone != nil && gone.Tombstone.Reason == "agreement"
		})
	}
	harvest(t, d.at(vietNam), id)
}

// open a client of a node.
func open(t *testing.T, server string, options ...ClientOption) *ClientWithResponses {
	t.Helper()
	c, err := NewClientWithResponses(server, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// harvest wants OAI-PMH, which the description leaves to its own specification, to keep a tombstone.
func harvest(t *testing.T, at, id string) {
	t.Helper()
	ask := func(query url.Values) string {
		answer, err := http.Get(at + "/oai?" + query.Encode())
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	_, namespace, _ := strings.Cut(ask(url.Values{"verb": {"Identify"}}), "<repositoryIdentifier>")
	namespace, _, _ = strings.Cut(namespace, "<")
	record := url.Values{"verb": {"GetRecord"}, "metadataPrefix": {"oai_dc"}, "identifier": {"oai:" + namespace + ":TH/" + id}}
	await(t, within, "OAI-PMH tells of the deleted record", func() bool {
		return strings.Contains(ask(record), `<header status="deleted">`)
	})
}

func await(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %s in vain until %s", limit, what)
		}
	}
}

// demonstration that runs as a process of its own.
type demonstration struct {
	dir  string
	base int // port of the first member
}

func (d demonstration) at(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", d.base+i) }

// binary is TMH_BINARY, or made now.
func binary(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("TMH_BINARY"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "tmh")
	build := exec.Command("go", "build", "-o", path, "./cmd/tmh")
	build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// demonstrate starts tmh demo and waits until it is ready. It ends with the test.
func demonstrate(t *testing.T) demonstration {
	t.Helper()
	d := demonstration{dir: t.TempDir(), base: portsInARow(t)}
	var faults bytes.Buffer
	cmd := exec.Command(binary(t), "demo", "--port", strconv.Itoa(d.base))
	cmd.Dir, cmd.Stderr = d.dir, &faults
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100) // more lines than it prints
	go func() {
		defer close(said)
		for s := bufio.NewScanner(out); s.Scan(); {
			said <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		for range said { // all is read before Wait closes the pipe
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demonstration did not stop cleanly: %v\n%s", err, &faults)
		}
	})
	late := time.After(2 * time.Minute)
	for {
		select {
		case line, more := <-said:
			if !more {
				t.Fatal("the demonstration ended before it was ready")
			}
			if strings.HasPrefix(line, "Ready ") {
				return d
			}
		case <-late:
			t.Fatal("the demonstration is not ready after two minutes")
		}
	}
}

// portsInARow finds as many free ports as there are nodes, side by side.
func portsInARow(t *testing.T) (base int) {
	t.Helper()
	free := func(port int) bool {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err == nil && l.Close() == nil
	}
	for range 200 {
		base = 10_000 + nodes*mathrand.IntN(800)
		n := 0
		for n < nodes && free(base+n) {
			n++
		}
		if n == nodes {
			return base
		}
	}
	t.Fatal("too few free ports in a row")
	return 0
}
