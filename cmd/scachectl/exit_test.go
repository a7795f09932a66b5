package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

func TestExecute(t *testing.T) {
	for _, test := range []struct {
		name   string
		run    func(*cobra.Command, []string) error
		status int
		stderr string
	}{
		{"success", func(*cobra.Command, []string) error { return nil }, 0, ""},
		{"failure", func(*cobra.Command, []string) error { return errors.New("no room") }, 1, "tool work: no room\n"},
		{"told already", func(*cobra.Command, []string) error { return fmt.Errorf("work: %w", errTold) }, 1, ""},
		{"misuse", func(*cobra.Command, []string) error { return fmt.Errorf("work: %w", misusef("not both")) }, 2,
			"tool work: work: not both\nusage: tool work\n\"tool work --help\" says more.\n"},
		{"interrupted", untilInterrupted(func(c *cobra.Command, _ []string) error {
			unix.Kill(unix.Getpid(), unix.SIGINT)
			<-c.Context().Done()
			return errors.New("what comes of an interrupt")
		}), 130, "tool work: interrupted\n"},
		{"interrupted at the end", untilInterrupted(func(c *cobra.Command, _ []string) error {
			unix.Kill(unix.Getpid(), unix.SIGTERM)
			<-c.Context().Done()
			return nil
		}), 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := &cobra.Command{Use: "tool"}
			root.AddCommand(&cobra.Command{Use: "work", Args: cobra.NoArgs, RunE: test.run, DisableFlagsInUseLine: true})
			var stdout, stderr bytes.Buffer
			root.SetOut(&stdout)
			root.SetErr(&stderr)
			root.SetArgs([]string{"work"})
			if status := execute(root); status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if stderr.String() != test.stderr || stdout.Len() > 0 {
				t.Errorf("standard error %q, want %q; standard output %q", &stderr, test.stderr, &stdout)
			}
		})
	}
}
