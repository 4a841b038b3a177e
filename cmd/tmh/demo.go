package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/node/access"
	"github.com/asean-tmh/tmh/node/config"
	"github.com/asean-tmh/tmh/node/demo"
)

// demoMemory keeps the whole demonstration well below the 4 GiB that it promises.
const demoMemory = 2 << 30

func demoCmd() *cobra.Command {
	var once, verbose bool
	var dir, skip string
	var port int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole federation on this machine, with demonstration content",
		Long: "Run eleven national nodes and a secretariat on this machine, each with its own database, talking to each other over\n" +
			"the loopback interface, with invented listings. Stop it with Ctrl-C.\n\n" +
			"With --once it walks through the main job instead - publish, match elsewhere, lose a node, match again, withdraw -\n" +
			"and exits with 0 where every step held, else with 1.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			debug.SetMemoryLimit(demoMemory)
			switch {
			case dir != "":
				if demo.Used(dir) {
					return fmt.Errorf("%[1]s has the nodes of a demonstration that was started before, which cannot go on once it is stopped: "+
						"name another folder with --dir, or stop that demonstration, delete the folder (rm -r %[1]s) and start again", dir)
				}
			case once:
				tmp, err := os.MkdirTemp("", "tmh-demo-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(tmp)
				dir = tmp
			default:
				remove, err := takeDemoDir(demoDir)
				if err != nil {
					return err
				}
				defer remove()
				dir = demoDir
			}
			level := "error"
			if verbose {
				level = "info"
			}
			cfg := demo.Config{Dir: dir, HTTPPort: port, Version: buildVersion(), Log: logger(config.Log{Level: level, Format: "text"})}
			if once {
				cfg.HTTPPort = 0
				return demo.Once(cmd.Context(), cfg, cmd.OutOrStdout(), skip)
			}
			return runDemo(cmd.Context(), cmd, cfg)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "walk through the main job and exit")
	cmd.Flags().StringVar(&dir, "dir", "", "new or empty folder for the nodes' data, which stays (default "+demoDir+", removed at the end)")
	cmd.Flags().IntVar(&port, "port", 8400, "port of the first member's pages; the others follow")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "show the nodes' logs")
	cmd.Flags().StringVar(&skip, "skip", "", "with --once: leave out an action (publish, stop or withdraw), so that the step after it fails")
	_ = cmd.Flags().MarkHidden("skip")
	return cmd
}

// demoDir is where the demonstration lies while it runs: at a place that commands can name.
const demoDir = ".demo"

// demoMark is what the demonstration writes into its lock file, by which it knows its own folder again.
const demoMark = "folder of a tmh demonstration: removed when it ends\n"

// takeDemoDir makes the folder anew and keeps other demonstrations out of it. What one left that was killed is removed; a folder that
// is not surely a demonstration's of this user is left alone.
func takeDemoDir(dir string) (remove func(), err error) {
	made := os.Mkdir(dir, 0o700)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return nil, fmt.Errorf("make a folder for the demonstration: %w; name another one with --dir", made)
	}
	foreign := fmt.Errorf("%s is there and is no demonstration's: name another folder with --dir", dir)
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(owner.Uid) != os.Getuid() || info.Mode().Perm() != 0o700 {
		return nil, foreign
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	flags := os.O_RDWR | syscall.O_NOFOLLOW
	if made == nil {
		flags |= os.O_CREATE | os.O_EXCL
	}
	lock, err := root.OpenFile("lock", flags, 0o600)
	if err != nil {
		return nil, foreign
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("a demonstration runs in %s already: stop it, or name another folder with --dir and other ports with --port", dir), lock.Close())
	}
	if made == nil {
		_, err = lock.WriteString(demoMark)
	} else {
		mark := make([]byte, len(demoMark)+1)
		if n, _ := lock.ReadAt(mark, 0); string(mark[:n]) != demoMark {
			return nil, errors.Join(foreign, lock.Close())
		}
	}
	entries, readErr := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		if e.Name() != "lock" {
			err = errors.Join(err, root.RemoveAll(e.Name()))
		}
	}
	return func() { _ = os.RemoveAll(dir); _ = lock.Close() }, errors.Join(err, readErr)
}

func runDemo(ctx context.Context, cmd *cobra.Command, cfg demo.Config) error {
	start := time.Now()
	f, err := demo.New(cfg)
	if err != nil {
		return err
	}
	cmd.Printf("Starting %d nodes in %s ...\n", len(f.Members()), cfg.Dir)
	if err := f.StartAll(); err != nil {
		return err
	}
	defer func() {
		if err := f.Close(); err != nil {
			cmd.PrintErrln("stopping:", err)
		}
	}()
	wait, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := demo.Await(wait, "all nodes are connected", f.Connected); err != nil {
		return err
	}
	n, err := f.PublishContent(wait)
	if err != nil {
		return err
	}
	if err := f.Populate(wait); err != nil {
		return err
	}
	cmd.Printf("Published %d listings at their own nodes; waiting until every node has proven all of them ...\n", n)
	if err := demo.Await(wait, "all nodes are equal", func() bool { ok, _ := f.Equal(); return ok }); err != nil {
		_, why := f.Equal()
		return fmt.Errorf("%w: %s", err, why)
	}
	cmd.Printf("Ready after %.1f s. Any node answers for the whole region:\n\n", time.Since(start).Seconds())
	for _, m := range f.Members() {
		cmd.Printf("  %-4s %s\n", m, f.URL(m))
	}
	cmd.Printf("\nTry this in a browser:  %s?q=low-cost+membrane+for+arsenic+in+well+water\n", f.URL("VN"))
	cmd.Printf("How the nodes stand:    %sfederation\n", f.URL("SEC"))
	cmd.Printf("Sign in at TH's node:    %s (or admin@, reviewer@, scout@), with the password “%s”; likewise at the others\n", demo.Address("TH", access.Editor), demo.Password)
	cmd.Printf("As its operator:        curl --unix-socket %s http://node/api/v1/health\n\nCtrl-C stops everything.\n", filepath.Join(f.Folder("TH"), "tmh.sock"))
	<-ctx.Done()
	cmd.Println("Stopping ...")
	return nil
}
