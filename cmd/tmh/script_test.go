package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A script's own commands; those of testscript end a background program with: kill -INT NAME, then wait NAME.
type script = testscript.TestScript

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Deadline: time.Now().Add(8 * time.Minute), // a node that runs where it should refuse would run for ever
		Setup: func(e *testscript.Env) error {
			e.Values[browsersKey{}] = &browsers{jars: map[string]http.CookieJar{}}
			return nil
		},
		Cmds: map[string]func(*script, bool, []string){
			"as": scriptAs, "corrupt": scriptCorrupt, "find": scriptFind, "freeport": scriptFreePort, "http": scriptHTTP, "keep": scriptKeep,
			"lines": scriptLines, "setting": scriptSetting, "waitfor": scriptWaitFor, "within": scriptWithin,
		},
	})
}

// waitfor PATTERN PROGRAM ARGS... runs a program again and again until its output matches.
func scriptWaitFor(ts *script, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitfor PATTERN PROGRAM ARGS...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for end := time.Now().Add(patience); ; time.Sleep(pollEvery) {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
		if want.MatchString(out) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("waited %s for %q; last seen: %v\n%s", patience, args[0], err, out)
		}
	}
}

// freeport NAME... sets the variables to ports of the loopback interface that nobody uses.
func scriptFreePort(ts *script, _ bool, args []string) {
	for _, name := range args {
		port, err := freePort()
		ts.Check(err)
		ts.Setenv(name, fmt.Sprint(port))
	}
}

// freePort looks below the ports that systems give to outgoing connections, which could take one in between.
func freePort() (int, error) {
	for range 1000 {
		port := 12_000 + rand.IntN(8000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err = errors.Join(err, l.Close()); err != nil {
			continue
		}
		return port, u.Close()
	}
	return 0, errors.New("no free port")
}

// keep NAME sets a variable to what the last program printed.
func scriptKeep(ts *script, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// setting DIR KEY VALUE changes a line of DIR/tmh.yaml.
func scriptSetting(ts *script, _ bool, args []string) {
	ts.Check(setting(ts.MkAbs(args[0]), args[1], args[2]))
}

func setting(dir, key, value string) error {
	path := filepath.Join(dir, "tmh.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^` + key + `:.*$`)
	if !line.Match(b) {
		return fmt.Errorf("%s has no line %s", path, key)
	}
	return os.WriteFile(path, line.ReplaceAll(b, []byte(key+": "+value)), 0o600)
}

// http METHOD DIR PATH [FILE] asks the node in DIR over its administration socket, or the one whose pages are at port DIR of
// the loopback interface, and prints status and body. With ! the answer has to be a refusal.
func scriptHTTP(ts *script, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: http METHOD DIR PATH [FILE]")
	}
	var body io.Reader
	if len(args) > 3 {
		body = strings.NewReader(ts.ReadFile(args[3]))
	}
	client := socketClient(ts.MkAbs(args[1]))
	if port, err := strconv.Atoi(args[1]); err == nil {
		client = portClient(port)
	}
	status, b, err := ask(client, args[0], args[2], body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d\n%s\n", status, b)
	if neg != (status >= 400) {
		ts.Fatalf("answered %d:\n%s", status, b)
	}
}

// browsers of a script, by the name of who uses them.
type browsers struct {
	jars map[string]http.CookieJar
	last time.Time // when as asked
}

type browsersKey struct{}

// as NAME METHOD PORT PATH [BODY [HEADER]] asks the pages at the port of the loopback interface in NAME's browser, which keeps
// its cookies, and prints status and body; as bearer:TOKEN asks with a token. Variables in BODY and HEADER are put in; ETAG is
// that of the newest answer which had one. With ! the answer has to be a refusal.
func scriptAs(ts *script, neg bool, args []string) {
	ts.Value(browsersKey{}).(*browsers).last = time.Now()
	resp, answer := browse(ts, args)
	if tag := resp.Header.Get("ETag"); tag != "" {
		ts.Setenv("ETAG", tag)
	}
	fmt.Fprint(ts.Stdout(), answer)
	if neg != (resp.StatusCode >= 400) {
		ts.Fatalf("answered %s", answer)
	}
}

func browse(ts *script, args []string) (resp *http.Response, answer string) {
	if len(args) < 4 || len(args) > 6 {
		ts.Fatalf("usage: as NAME METHOD PORT PATH [BODY [HEADER]]")
	}
	args = append(args, "", "")
	port, err := strconv.Atoi(args[2])
	ts.Check(err)
	r, err := http.NewRequest(args[1], "http://node"+args[3], strings.NewReader(os.Expand(args[4], ts.Getenv)))
	ts.Check(err)
	if name, value, ok := strings.Cut(args[5], ": "); ok {
		r.Header.Set(name, os.Expand(value, ts.Getenv))
	}
	c := portClient(port)
	defer c.CloseIdleConnections()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if token, ok := strings.CutPrefix(args[0], "bearer:"); ok {
		r.Header.Set("Authorization", "Bearer "+token)
	} else {
		all := ts.Value(browsersKey{}).(*browsers).jars
		if all[args[0]] == nil {
			all[args[0]], err = cookiejar.New(nil)
			ts.Check(err)
		}
		c.Jar = all[args[0]]
	}
	resp, err = c.Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	ts.Check(err)
	return resp, fmt.Sprintf("%d\n%s\n", resp.StatusCode, b)
}

// within TIME PATTERN NAME METHOD PORT PATH [BODY [HEADER]] asks as as does, until the answer matches; with ! until it does
// not match any more. It says how long that took since as asked last, and fails where that is longer than TIME.
func scriptWithin(ts *script, neg bool, args []string) {
	if len(args) < 6 {
		ts.Fatalf("usage: within TIME PATTERN NAME METHOD PORT PATH [BODY [HEADER]]")
	}
	start := ts.Value(browsersKey{}).(*browsers).last
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	for ; ; time.Sleep(pollEvery) {
		_, answer := browse(ts, args[2:])
		took := time.Since(start)
		if pattern.MatchString(answer) != neg {
			ts.Logf("after %d ms", took.Milliseconds())
			fmt.Fprint(ts.Stdout(), answer)
			return
		}
		if took > limit {
			ts.Fatalf("waited %s for %q; last seen:\n%s", limit, args[1], answer)
		}
	}
}

// find NAME PATTERN sets a variable to the pattern's first group in what was printed last.
func scriptFind(ts *script, _ bool, args []string) {
	out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	m := regexp.MustCompile(args[1]).FindStringSubmatch(out)
	if len(m) < 2 {
		ts.Fatalf("no %s in\n%s", args[1], out)
	}
	ts.Setenv(args[0], m[1])
}

func portClient(port int) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}}}
}

// corrupt TEXT FILE... turns one bit over in every TEXT of the files that have it. corrupt -cut FILE... halves files.
func scriptCorrupt(ts *script, _ bool, args []string) {
	hit, wrong := 0, []byte(args[0])
	wrong[0] ^= 1
	for _, pattern := range args[1:] {
		paths, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		for _, path := range paths {
			b, err := os.ReadFile(path)
			ts.Check(err)
			if args[0] == "-cut" {
				b = b[:len(b)/2]
			} else if found := bytes.ReplaceAll(b, []byte(args[0]), wrong); !bytes.Equal(found, b) {
				b = found
			} else {
				continue
			}
			hit++
			ts.Check(os.WriteFile(path, b, 0o600))
		}
	}
	if hit == 0 {
		ts.Fatalf("nothing to corrupt: %v", args)
	}
}

// lines N FILE TEXT writes TEXT N times into FILE, with %d as the number of the line.
func scriptLines(ts *script, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(args[2], "%d", strconv.Itoa(i)) + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}
