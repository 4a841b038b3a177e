// Package config reads a node's configuration: one YAML file, strict, with every fault reported at once. The commented
// file configs/tmh.yaml is its reference and states every default; a test keeps the two equal.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/asean-tmh/tmh/configs"
	"github.com/asean-tmh/tmh/node/match/embed"
	"github.com/asean-tmh/tmh/protocol"
)

// File is the configuration. Its fields are explained in configs/tmh.yaml.
type File struct {
	Member        string    `yaml:"member"`
	Listen        []string  `yaml:"listen"`
	Announce      []string  `yaml:"announce"`
	Relay         bool      `yaml:"relay"`
	HTTP          string    `yaml:"http"`
	PublicURL     string    `yaml:"public_url"`
	TLS           TLS       `yaml:"tls"`
	Proxies       Proxies   `yaml:"trusted_proxies"`
	TokenFile     string    `yaml:"token_file"`
	Socket        string    `yaml:"socket"`
	RecordKey     string    `yaml:"record_key"`
	TransportKey  string    `yaml:"transport_key"`
	Papers        string    `yaml:"papers"`
	Data          string    `yaml:"data"`
	Guard         string    `yaml:"guard"`
	Index         string    `yaml:"index"`
	Lexicon       string    `yaml:"lexicon"`
	Embedding     Embedding `yaml:"embedding"`
	MinFree       Size      `yaml:"min_free"`
	Memtable      Size      `yaml:"memtable"`
	MemoryLimit   Size      `yaml:"memory_limit"`
	Backup        Backup    `yaml:"backup"`
	Imports       Imports   `yaml:"imports"`
	Limits        Limits    `yaml:"limits"`
	SMTP          SMTP      `yaml:"smtp"`
	OIDC          OIDC      `yaml:"oidc"`
	Agency        Agency    `yaml:"agency"`
	Demonstration bool      `yaml:"demonstration"`
	Log           Log       `yaml:"log"`
}

// Embedding says which outside model the match index asks, if any.
type Embedding struct {
	URL     string        `yaml:"url"`
	Kind    string        `yaml:"kind"`
	Model   string        `yaml:"model"`
	KeyFile string        `yaml:"key_file"`
	Timeout time.Duration `yaml:"timeout"`
}

// Log says how the node logs.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Backup says when the node backs itself up.
type Backup struct {
	Dir   string        `yaml:"dir"`
	Every time.Duration `yaml:"every"`
	Keep  int           `yaml:"keep"`
}

// Imports says where files of imports lie, and which repositories may be harvested.
type Imports struct {
	Dir             string `yaml:"dir"`
	PrivateNetworks bool   `yaml:"private_networks"`
}

// Limits are how often one visitor may ask in a minute.
type Limits struct {
	Reads       int `yaml:"reads"`
	KnownReads  int `yaml:"known_reads"`
	Suggestions int `yaml:"suggestions"`
	Writes      int `yaml:"writes"`
}

func (l Limits) check(wrong func(key, format string, args ...any)) {
	for key, n := range map[string]int{"reads": l.Reads, "known_reads": l.KnownReads, "suggestions": l.Suggestions, "writes": l.Writes} {
		if n < 0 {
			wrong("limits."+key, "%d is below 0, which is no limit", n)
		}
	}
}

// Name of the configuration file in a node's folder.
const Name = "tmh.yaml"

// Default is what the sample says.
func Default() File {
	f, err := parse([]byte(configs.Sample), File{})
	if err != nil {
		panic("config: the embedded sample does not parse: " + err.Error())
	}
	return f
}

// Load reads dir's configuration. Relative paths in it become paths below dir.
func Load(dir string) (File, error) {
	path := filepath.Join(dir, Name)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return File{}, fmt.Errorf("there is no node in %s: run tmh init --dir %s first", dir, dir)
	}
	if err != nil {
		return File{}, err
	}
	f, err := Parse(b)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	for _, p := range []*string{&f.TokenFile, &f.Socket, &f.RecordKey, &f.TransportKey, &f.Papers, &f.Data, &f.Guard, &f.Index, &f.Lexicon, &f.Embedding.KeyFile, &f.Backup.Dir, &f.Imports.Dir,
		&f.TLS.Cert, &f.TLS.Key, &f.SMTP.PasswordFile, &f.SMTP.CA, &f.OIDC.ClientSecretFile} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return f, nil
}

// Parse reads a configuration over the defaults.
func Parse(b []byte) (File, error) {
	f, err := parse(b, Default())
	if err != nil {
		return File{}, err
	}
	err = f.check() // which also brings public_url into its one form
	return f, err
}

func parse(b []byte, into File) (File, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		return into, nil
	}
	if err := yaml.Load(b, &into, yaml.WithKnownFields()); err != nil {
		return File{}, err
	}
	return into, nil
}

func (f *File) check() error {
	var errs []error
	wrong := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if _, err := protocol.ParseMemberID(f.Member); err != nil {
		wrong("member", "%s", protocol.All(err)[0].Message)
	}
	if len(f.Listen) == 0 {
		wrong("listen", "name at least one address, such as /ip4/0.0.0.0/tcp/4001")
	}
	if f.HTTP != "" {
		if _, _, err := net.SplitHostPort(f.HTTP); err != nil {
			wrong("http", "%q is no address: write it as 127.0.0.1:8080", f.HTTP)
		}
	}
	for _, p := range [][2]string{{"record_key", f.RecordKey}, {"transport_key", f.TransportKey}, {"data", f.Data}, {"guard", f.Guard}, {"socket", f.Socket}} {
		if p[1] == "" {
			wrong(p[0], "is empty")
		}
	}
	if f.Memtable < 8<<20 {
		wrong("memtable", "%d bytes are below 8 MiB, with which the database does not open", f.Memtable)
	}
	f.Embedding.check(wrong)
	f.Limits.check(wrong)
	f.checkPublic(wrong)
	if f.Backup.Every < time.Second {
		wrong("backup.every", "%s is too often: write it as 24h or 90m", f.Backup.Every)
	}
	if f.Backup.Keep < 1 {
		wrong("backup.keep", "%d keeps no backup at all: keep one at least, or leave backup.dir empty", f.Backup.Keep)
	}
	if f.Backup.Dir != "" && f.Data != "" {
		if rel, err := filepath.Rel(f.Data, f.Backup.Dir); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			wrong("backup.dir", "%s lies in the database's own folder, which is lost with it: name a folder on another disk", f.Backup.Dir)
		}
	}
	switch f.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		wrong("log.level", "%q is none of debug, info, warn, error", f.Log.Level)
	}
	if f.Log.Format != "text" && f.Log.Format != "json" {
		wrong("log.format", "%q is neither text nor json", f.Log.Format)
	}
	return errors.Join(errs...)
}

// check reports the faults of an embedding endpoint. Where there is none, the other settings are only checked for typing
// errors.
func (e *Embedding) check(wrong func(key, format string, args ...any)) {
	if e.Timeout < time.Millisecond || e.Timeout > 10*time.Second {
		wrong("embedding.timeout", "%s is not between 1ms and 10s: every query waits so long for an endpoint that is slow", e.Timeout)
	}
	c := embed.Config{URL: e.URL, Kind: embed.Kind(e.Kind), Model: e.Model}
	if e.URL == "" {
		c.URL, c.Model = "http://127.0.0.1", "none"
		if e.Model != "" || e.KeyFile != "" {
			wrong("embedding.url", "is empty, though a model or a key is given: say where the endpoint is, or leave all of them empty")
		}
	}
	if key, err := c.Check(); err != nil {
		wrong("embedding."+key, "%s", err)
	}
}

// Size is a number of bytes, written as 1500MiB, 2GiB or plain bytes.
type Size uint64

// UnmarshalYAML reads a size.
func (s *Size) UnmarshalYAML(n *yaml.Node) error {
	text, unit := n.Value, uint64(1)
	for suffix, u := range map[string]uint64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if head, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = strings.TrimSpace(head), u
		}
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil || v > math.MaxInt64/unit {
		return fmt.Errorf("line %d: %q is no size: write it as 64MiB", n.Line, n.Value)
	}
	*s = Size(v * unit)
	return nil
}
