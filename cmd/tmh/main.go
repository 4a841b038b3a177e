// Command tmh is a member's node of the ASEAN Technology Management Hub, and the tools around it. One file holds one
// command; what they do stands in the packages under node.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/asean-tmh/tmh/protocol"
)

// version is set by the linker.
var version = "development" //nolint:gochecknoglobals // the linker sets nothing else

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	root := &cobra.Command{
		Use:           "tmh",
		Short:         "A node of the ASEAN Technology Management Hub",
		Long:          "tmh runs a member's node of the ASEAN Technology Management Hub and administers it.\n\nTo see a whole federation on this machine: tmh demo",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       buildVersion(),
	}
	root.AddCommand(initCmd(), keyCmd(), charterCmd(), cardCmd(), serveCmd(), statusCmd(), doctorCmd(), epochCmd(), userCmd(), orgCmd(), tokenCmd(), auditCmd(), matchCmd(), importCmd(), mappingCmd(), harvestCmd(), exportCmd(),
		evalCmd(), lexiconCmd(), backupCmd(), restoreCmd(), verifyCmd(), demoCmd(), benchCmd(), versionCmd())
	root.SetOut(os.Stdout) // cobra prints to standard error otherwise
	err := root.ExecuteContext(ctx)
	if err == nil || errors.Is(err, context.Canceled) {
		return 0
	}
	say(err)
	return 1
}

// say prints an error for a person: every fault of it on a line, causes included, codes left out.
func say(err error) {
	var all protocol.Errors
	var one *protocol.Error
	switch {
	case errors.As(err, &all):
		for _, e := range all {
			fmt.Fprintln(os.Stderr, "tmh:", inWords(e))
		}
	case errors.As(err, &one):
		fmt.Fprintln(os.Stderr, "tmh:", strings.Replace(err.Error(), one.Error(), inWords(one), 1))
	default:
		fmt.Fprintln(os.Stderr, "tmh:", strings.ReplaceAll(err.Error(), "\n", "\ntmh: "))
	}
}

func inWords(e *protocol.Error) string {
	text := e.Message
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && version == "development" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return version + " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return version
}

func versionCmd() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(cmd *cobra.Command, _ []string) {
		cmd.Println("tmh", buildVersion())
	}}
}

// dirFlag is the flag that names a node's folder, the same on every command.
func dirFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVarP(dir, "dir", "d", ".", "folder of the node")
}
