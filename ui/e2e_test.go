package ui_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asean-tmh/tmh/node"
	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/demo"
	"github.com/asean-tmh/tmh/node/founding"
	"github.com/asean-tmh/tmh/node/house"
	"github.com/asean-tmh/tmh/node/intake"
	"github.com/asean-tmh/tmh/node/intake/mapping"
	"github.com/asean-tmh/tmh/node/posting"
	"github.com/asean-tmh/tmh/protocol"
	"github.com/asean-tmh/tmh/store"
)

// e2e is what the browser's tests are told, as TMH_E2E.
type e2e struct {
	Setup, Plain, First string // setup links of nodes alone, one for each group of tests

	TH, VN, Password       string // pages of the two nodes of a federation, and the password of everybody there
	Laboratory             access.OrganisationID
	Editor                 string // of the laboratory, whose listings are reviewed
	Person                 access.UserID
	Draft, Waiting, Listed protocol.ListingID
	Import                 intake.JobID
}

// TestBrowser uses the pages of real nodes in Chromium, with its virtual authenticator. What it does there is in e2e. With
// TMH_SCREENSHOTS=DIR it writes pictures of every page there instead; TMH_BROWSER=PATTERN runs the tests of such names alone.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("short: no browser")
	}
	path := map[string]string{}
	for _, tool := range []string{"node", "chromium"} {
		p, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("%s is not installed: .ci/tools installs it", tool)
		}
		path[tool] = p
	}
	if _, err := os.Stat(filepath.Join("e2e", "node_modules", "playwright-core")); err != nil {
		t.Skip("the driver of the browser is not installed: .ci/tools installs it")
	}
	files, err := filepath.Glob("e2e/*.js*")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--test", "--test-reporter=tap", "--test-timeout=420000", "--test-concurrency=2"}
	only := os.Getenv("TMH_BROWSER")
	if only != "" {
		args = append(args, "--test-name-pattern="+only)
	}
	for _, file := range files {
		if _, err := os.ReadFile(file); err != nil { // so that the go command runs this test again when it changes
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".test.js") {
			args = append(args, filepath.Base(file))
		}
	}
	pictures := os.Getenv("TMH_SCREENSHOTS")
	if pictures != "" {
		if pictures, err = filepath.Abs(pictures); err != nil {
			t.Fatal(err)
		}
		args = []string{"screenshots.js", pictures}
	}
	var world e2e
	world.federate(t)
	world.Setup, world.Plain, world.First = serve(t), serve(t), serve(t)
	told, err := json.Marshal(world)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path["node"], args...)
	cmd.Dir = "e2e"
	cmd.Env = append(os.Environ(), "TMH_E2E="+string(told), "CHROMIUM="+path["chromium"])
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // asked to stop, Playwright takes its browser along
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	// A run in which nothing ran ends well too.
	if pictures == "" && only == "" && (strings.Contains(out.String(), "# pass 0\n") || !strings.Contains(out.String(), "# skipped 0\n")) {
		t.Errorf("not all of the tests ran:\n%s", out.String())
	}
	t.Log(out.String())
}

// federate runs the nodes of two members with the demonstration's listings and people, and with a laboratory in Thailand that has
// listings on their way.
func (w *e2e) federate(t *testing.T) {
	t.Helper()
	members := slices.DeleteFunc(founding.ASEAN(), func(m protocol.Member) bool { return m.ID != "TH" && m.ID != "VN" })
	f, err := demo.New(demo.Config{Dir: t.TempDir(), Members: members})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.StartAll())
	must(demo.Await(ctx, "the nodes are connected", f.Connected))
	_, err = f.PublishContent(ctx)
	must(err)
	must(f.Populate(ctx))
	w.TH, w.VN, w.Password, w.Editor = f.URL("TH"), f.URL("VN"), demo.Password, "editor@laboratory.example"

	at, operator := f.Node("TH").House(), access.Operator("TH")
	o, err := at.People.CreateOrganisation(operator, access.OrganisationFields{Name: "Laboratory of grains", Type: "research-institute", Country: "TH"})
	must(err)
	secret, _, err := at.People.Invite(operator, w.Editor, o.ID, []access.Role{access.Editor}, "th")
	must(err)
	in, err := at.People.Accept(ctx, secret, access.NewAccount{Name: "ชนิดา ศรีสุข", Language: "th", Password: w.Password}, access.Client{})
	must(err)
	w.Laboratory, w.Person = o.ID, in.Actor.User
	written := func(title string) *posting.Posting {
		p, err := at.Postings.Create(in.Actor, o.ID, "", posting.Content{
			Listing: protocol.Listing{
				Kind: protocol.TechnologyOffer, Country: "TH", TRL: 6, FORD: []string{"2.11"}, SDG: []uint16{2}, Cooperation: []string{"licence"},
				Texts: map[protocol.Lang]protocol.Text{
					"en": {Title: title, Value: "Sorts two tonnes an hour", Abstract: "Cameras see discoloured grains and air blows them out.", Keywords: []string{"rice", "sorting"}},
					"th": {Title: "เครื่องคัดแยกเมล็ดข้าวด้วยกล้อง", Value: "คัดแยกได้สองตันต่อชั่วโมง", Abstract: "กล้องตรวจหาเมล็ดที่เปลี่ยนสีแล้วลมเป่าออก"},
				},
			},
			Record: protocol.Record{Texts: map[protocol.Lang]protocol.RecordText{"en": {Description: "A belt, two cameras and 64 valves."}}},
		})
		must(err)
		return p
	}
	w.Draft = written("Optical sorter for rice, a draft").ID
	waits := written("Optical sorter for discoloured rice grains")
	_, _, err = at.Postings.Submit(ctx, in.Actor, waits.ID, waits.Version)
	must(err)
	w.Waiting = waits.ID
	j, err := at.Imports.Upload(ctx, in.Actor, o.ID, strings.NewReader("id,kind,title,abstract,trl\nA-1,TO,Husk briquettes,Pressed from husk without a binder.,6\nA-2,XX,Nothing,,99\n"), intake.UploadOptions{Filename: "offers.csv", DryRun: true})
	must(err)
	w.Import = j.ID
	_, err = at.Imports.SaveMapping(in.Actor, o.ID, "mine", mapping.Mapping{ID: []string{"id"}, Rules: []mapping.Rule{
		{To: "listing.kind", From: []string{"kind"}, Values: map[string]string{"offer": "TO"}}, {To: "listing.texts.en.title", From: []string{"title"}}, {To: "listing.country", Constant: "TH"},
	}}, 0)
	must(err)
	must(demo.Await(ctx, "the nodes are equal", func() bool { ok, _ := f.Equal(); return ok }))
	w.Listed = "TR-TH-20251222-001" // a need for which Viet Nam has an offer
}

// serve runs the node of a federation of one, and gives its setup link.
func serve(t *testing.T) string {
	t.Helper()
	seat, err := founding.NewSeat(founding.ASEAN()[2], "")
	if err != nil {
		t.Fatal(err)
	}
	seat.Addresses = []string{"/ip4/127.0.0.1/udp/" + freePort(t, "udp") + "/quic-v1"}
	papers, err := founding.Found("Test federation", []founding.Seat{seat}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t, "tcp")
	n, err := node.New(node.Config{
		Member: seat.Member.ID, Record: seat.Record, Transport: seat.Transport, Papers: papers, Listen: seat.Addresses,
		Store: store.Config{Dir: filepath.Join(t.TempDir(), "data"), Memtable: 8 << 20},
		HTTP:  "127.0.0.1:" + port, House: house.Config{PublicURL: "http://localhost:" + port, Hashes: 1}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-n.Ready():
	case err := <-done:
		done <- err
		t.Fatal("the node did not start")
	}
	secret, _, err := n.House().People.SetupLink(access.Operator(seat.Member.ID))
	if err != nil {
		t.Fatal(err)
	}
	return n.House().Link(access.PurposeSetup, secret)
}

// freePort is below those that systems give to outgoing connections, which could take it in between.
func freePort(t *testing.T, network string) string {
	t.Helper()
	for range 1000 {
		port := 14_000 + rand.IntN(4000)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		var err error
		if network == "udp" {
			var c net.PacketConn
			if c, err = new(net.ListenConfig).ListenPacket(t.Context(), network, address); err == nil {
				err = c.Close()
			}
		} else {
			var l net.Listener
			if l, err = new(net.ListenConfig).Listen(t.Context(), network, address); err == nil {
				err = l.Close()
			}
		}
		if err == nil {
			return fmt.Sprint(port)
		}
	}
	t.Fatal("no free port")
	return ""
}
