package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// demonstration is tmh demo as a process: twelve nodes, in the folder .demo below dir.
type demonstration struct {
	dir  string
	base int // port of the first member's pages
}

// twelvePorts finds a run of free ports, where README has 8400 to 8411.
func twelvePorts(t *testing.T) (base int) {
	t.Helper()
	for range 200 {
		base = 10_000 + 12*rand.IntN(800)
		free := true
		for i := range 12 {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+i))
			if free = err == nil; !free {
				break
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if free {
			return base
		}
	}
	t.Fatal("no twelve free ports in a row")
	return 0
}

// demonstrate starts a demonstration and waits until it says that it is ready. It has to stop cleanly at the end of the test.
func demonstrate(t *testing.T) demonstration {
	t.Helper()
	d := demonstration{dir: t.TempDir(), base: twelvePorts(t)}
	var faults bytes.Buffer
	cmd := exec.Command("tmh", "demo", "--port", strconv.Itoa(d.base))
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
		for s := bufio.NewScanner(out); s.Scan(); {
			said <- s.Text()
		}
		close(said)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
		kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		for range said { // all is read before Wait closes the pipe
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demonstration did not stop cleanly: %v\n%s", err, &faults)
		}
		if _, err := os.Stat(filepath.Join(d.dir, demoDir)); !os.IsNotExist(err) {
			t.Errorf("the demonstration left its folder behind: %v", err)
		}
	})
	late := time.After(2 * time.Minute)
	for {
		select {
		case line, more := <-said:
			if !more {
				t.Fatalf("the demonstration ended before it was ready:\n%s", &faults)
			}
			if strings.HasPrefix(line, "Ready ") {
				return d
			}
		case <-late:
			t.Fatal("the demonstration is not ready after two minutes")
		}
	}
}

// at is the address of the member of that place in the alphabet.
func (d demonstration) at(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", d.base+i) }

// commands are those of README's section on other programs, on this demonstration's ports.
func (d demonstration) commands(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## From another program\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var b strings.Builder
	for line := range strings.Lines(section) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			b.WriteString(command)
		}
	}
	if b.Len() == 0 {
		t.Fatal("README has no commands in “From another program”")
	}
	return regexp.MustCompile(`\b84(0\d|1[01])\b`).ReplaceAllStringFunc(b.String(), func(port string) string {
		n, _ := strconv.Atoi(port)
		return strconv.Itoa(d.base + n - 8400)
	})
}

// finds reports whether a node finds the listing by words.
func finds(at, words, id string) (bool, error) {
	var answer struct{ Hits []struct{ ID string } }
	status, err := fetch(at+"/api/v1/match?q="+url.QueryEscape(words), &answer)
	if err != nil {
		return false, err
	}
	if status != http.StatusOK {
		return false, fmt.Errorf("match at %s: %d", at, status)
	}
	for _, h := range answer.Hits {
		if h.ID == id {
			return true, nil
		}
	}
	return false, nil
}

func fetch(address string, into any) (status int, err error) {
	answer, err := http.Get(address)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, json.Unmarshal(b, into)
}

// What README's commands print, and when the other program may have found what it posted.
const (
	englishTitle = "Rice-husk silica that keeps mangoes firm in transit"
	thaiTitle    = "ซิลิกาจากแกลบช่วยให้มะม่วงแน่นนานขึ้นระหว่างขนส่ง"
	vietNam      = 11 // of the members' places
	within       = 2 * time.Second
)

// TestQuickStartFromREADME runs the commands that README shows to writers of other programs, as they stand there.
func TestQuickStartFromREADME(t *testing.T) {
	if testing.Short() {
		t.Skip("twelve nodes take half a minute")
	}
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("wants %s: .ci/tools installs it", program)
		}
	}
	d := demonstrate(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var faults bytes.Buffer
	sh := exec.CommandContext(ctx, "sh", "-eu")
	sh.Dir, sh.Stdin, sh.Stderr, sh.WaitDelay = d.dir, strings.NewReader(d.commands(t)), &faults, time.Second
	out, err := sh.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	var got []string
	var id string
	for s := bufio.NewScanner(out); s.Scan(); {
		got = append(got, s.Text())
		if published, ok := strings.CutPrefix(s.Text(), "Thailand published "); ok {
			id = published
			start := time.Now()
			for {
				ok, err := finds(d.at(vietNam), englishTitle, id)
				if err != nil {
					t.Error(err)
				}
				took := time.Since(start)
				if ok {
					t.Logf("found in Viet Nam %d ms after it was published in Thailand", took.Milliseconds())
					break
				}
				if took > within {
					t.Errorf("Viet Nam does not find it after %s", within)
					break
				}
				time.Sleep(pollEvery)
			}
		}
	}
	if err := sh.Wait(); err != nil {
		t.Fatalf("README's commands: %v\n%s%s", err, strings.Join(got, "\n"), &faults)
	}
	want := []string{"Thailand published " + id, `"title":"` + englishTitle + `"`, `"title":"` + thaiTitle + `"`, "Thailand withdrew " + id}
	for i := range 12 {
		want = append(want, "410 "+d.at(i)+"/api/v1/listings/TH/"+id)
	}
	want = append(want, `<header status="deleted">`)
	if id == "" || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("README's commands printed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d.gone(t, id)
}

// gone wants every node to have a tombstone of the listing, and none to find it.
func (d demonstration) gone(t *testing.T, id string) {
	t.Helper()
	for i := range 12 {
		var problem struct{ Tombstone struct{ Reason string } }
		status, err := fetch(d.at(i)+"/api/v1/listings/TH/"+id, &problem)
		if err != nil || status != http.StatusGone || problem.Tombstone.Reason != "agreement" {
			t.Errorf("%s has no tombstone: %d %+v %v", d.at(i), status, problem, err)
		}
		if found, err := finds(d.at(i), englishTitle, id); found || err != nil {
			t.Errorf("%s finds it still: %v", d.at(i), err)
		}
	}
}
