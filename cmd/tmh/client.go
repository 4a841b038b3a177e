package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/protocol"
)

// client talks to a running node over its administration socket.
type client struct{ socket, pages string }

func dial(dir string) (client, error) {
	cfg, err := config.Load(dir)
	return client{cfg.Socket, here(cfg.HTTP, cfg.TLS.Cert != "")}, err
}

func (c client) http() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", c.socket)
	}}}
}

// do sends a request and returns the body of a successful answer.
func (c client) do(ctx context.Context, method, path string, body io.Reader, contentType string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://node"+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http().Do(r)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("the node is not running (nobody answers at %s): start it with tmh serve", c.socket)
	}
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 400 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, readProblem(resp)
}

func readProblem(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var p struct {
		Title  string          `json:"title"`
		Detail string          `json:"detail"`
		Errors protocol.Errors `json:"errors"`
	}
	if json.Unmarshal(b, &p) != nil {
		return fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(b))
	}
	if len(p.Errors) > 0 {
		return p.Errors
	}
	if p.Detail != "" {
		return errors.New(p.Detail)
	}
	return errors.New(resp.Status)
}

// get reads JSON.
func (c client) get(ctx context.Context, path string, into any) error {
	b, err := c.do(ctx, http.MethodGet, path, nil, "")
	if err != nil {
		return err
	}
	defer b.Close()
	return json.NewDecoder(b).Decode(into)
}

func (c client) post(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, path, bytes.NewReader(b), "application/json")
	if err != nil {
		return err
	}
	defer answer.Close()
	return json.NewDecoder(answer).Decode(into)
}

func (c client) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.socket)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func (c client) sendPapers(ctx context.Context, p *protocol.Papers) error {
	b, err := c.do(ctx, http.MethodPost, "/api/v1/papers", bytes.NewReader(p.Encode()), "application/octet-stream")
	if err != nil {
		return err
	}
	return b.Close()
}
