package config

import (
	"reflect"
	"strings"
	"testing"

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

func TestUnknownKeysAndSizesAreRefused(t *testing.T) {
	for _, text := range []string{"membre: KH\n", "member: KH\nmemtable: 64 potatoes\n", "member: KH\nmin_free: -1\n", "member: KH\nmin_free: 99999999999GiB\n"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func sample() string { return configs.Sample }
