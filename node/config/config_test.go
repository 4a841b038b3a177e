package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/asean-tmh/tmh/configs"
)

func TestSampleStatesEveryDefault(t *testing.T) {
	got, err := Parse([]byte("member: KH\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Member = "KH"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got.Memtable != 64<<20 || got.HTTP != "127.0.0.1:8080" || got.Log.Level != "info" {
		t.Errorf("the sample's values were not read: %+v", got)
	}
}

func TestSampleNamesEveryKey(t *testing.T) {
	typ := reflect.TypeFor[File]()
	all, err := Parse([]byte(strings.Replace(sample(), `member: ""`, "member: KH", 1)))
	if err != nil {
		t.Fatal(err)
	}
	_ = all
	for i := range typ.NumField() {
		if key := typ.Field(i).Tag.Get("yaml"); !strings.Contains("\n"+sample(), "\n"+key+":") {
			t.Errorf("configs/tmh.yaml does not explain %s", key)
		}
	}
}

func TestFaultsAreReportedTogether(t *testing.T) {
	_, err := Parse([]byte("member: kh\nhttp: nowhere\nmemtable: 1MiB\nlog:\n  level: loud\n  format: xml\n"))
	for _, want := range []string{"member", "http", "memtable", "log.level", "log.format"} {
		if err == nil || !strings.Contains(err.Error(), want+":") {
			t.Errorf("%s is not reported in: %v", want, err)
		}
	}
}

func TestEmbedding(t *testing.T) {
	if e := Default().Embedding; e.URL != "" || e.Kind != "openai" || e.Timeout != 300*time.Millisecond {
		t.Errorf("an outside model is asked without having been named: %+v", e)
	}
	const good = "member: KH\nembedding:\n  url: http://127.0.0.1:8081\n  kind: tei\n  model: bge-m3\n  key_file: keys/model\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, Name), []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(dir)
	if err != nil || f.Embedding != (Embedding{"http://127.0.0.1:8081", "tei", "bge-m3", filepath.Join(dir, "keys/model"), 300 * time.Millisecond}) {
		t.Errorf("%+v: %v", f.Embedding, err)
	}
	for text, want := range map[string]string{
		"  url: 127.0.0.1:8081\n  model: m\n":                     "embedding.url: ",
		"  url: http://127.0.0.1:8081/v1\n  model: m\n":           "embedding.url: ",
		"  url: http://127.0.0.1:8081\n":                          "embedding.model: ",
		"  url: http://127.0.0.1:8081\n  model: m\n  kind: llm\n": "embedding.kind: ",
		"  kind: llm\n":        "embedding.kind: ",
		"  model: m\n":         "embedding.url: ",
		"  key_file: keys/m\n": "embedding.url: ",
		"  timeout: 0s\n":      "embedding.timeout: ",
		"  timeout: 1h\n":      "embedding.timeout: ",
		"  timeout: 300\n":     "Duration",
		"  key: secret\n":      "key",
	} {
		if _, err := Parse([]byte("member: KH\nembedding:\n" + text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want a fault of %s", text, err, want)
		}
	}
}

func TestUnknownKeysAndSizesAreRefused(t *testing.T) {
	for _, text := range []string{"membre: KH\n", "member: KH\nmemtable: 64 potatoes\n", "member: KH\nmin_free: -1\n", "member: KH\nmin_free: 99999999999GiB\n"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func sample() string { return configs.Sample }

func TestLimitsDefaultToThoseOfTheAPI(t *testing.T) {
	if d := cmp.Diff(Limits{1200, 6000, 3000, 600}, Default().Limits); d != "" {
		t.Error(d) // as api.DefaultLimits: cmd/tmh compares the two
	}
	if _, err := Parse([]byte("member: KH\nlimits: {reads: -1, writes: -2}\n")); err == nil || !strings.Contains(err.Error(), "limits.reads:") || !strings.Contains(err.Error(), "limits.writes:") {
		t.Errorf("limits below 0: %v", err)
	}
	if d := Default().Imports; d != (Imports{Dir: "imports"}) {
		t.Errorf("imports: %+v", d)
	}
}
