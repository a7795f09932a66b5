package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"scache/compat/torture"
	"scache/scached/install"
)

// A tortureCommand is what "scachectl torture" was called with.
type tortureCommand struct {
	torture.RunOptions
	reference bool
	list      bool
	result    string
}

func newTorture() *cobra.Command {
	var t tortureCommand
	c := &cobra.Command{
		Use:               "torture [DAEMON...]",
		Short:             "attack a daemon, and see what becomes of it and of its good clients",
		ValidArgsFunction: files,
		RunE:              untilInterrupted(t.run),
	}
	c.Flags().BoolVar(&t.Short, "short", false, "only what the tests do, a few seconds an attack")
	c.Flags().BoolVar(&t.Markdown, "markdown", false, "print a table for the README")
	c.Flags().StringVar(&t.Only, "only", "", "only attacks with this `text` in their name")
	c.Flags().BoolVar(&t.reference, "reference", false, "attack the installed scache as well")
	c.Flags().BoolVar(&t.list, "list", false, "only say what the attacks are")
	fileVar(c.Flags(), &t.result, "result", "", "write what came of the first daemon for the conformance page into this `file`")
	c.RegisterFlagCompletionFunc("only", words(attackNames()...))
	return c
}

func attackNames() (names []string) {
	for _, attack := range torture.Attacks() {
		names = append(names, attack.Name)
	}
	return names
}

func (t *tortureCommand) run(c *cobra.Command, daemons []string) error {
	if t.list {
		for _, name := range attackNames() {
			fmt.Fprintln(c.OutOrStdout(), name)
		}
		return nil
	}
	if t.Programs = daemons; len(daemons) == 0 {
		t.Programs = []string{besideUs("scached")}
	}
	if t.reference {
		path, err := install.ReferenceProgram()
		if err != nil {
			return err
		}
		t.Programs = append(t.Programs, path)
	}
	line := newProgress()
	t.Out, t.Progress = c.OutOrStdout(), line.show
	began, first := time.Now(), []*torture.Outcome(nil)
	t.Done = func(program string, o *torture.Outcome) {
		if program == t.Programs[0] {
			first = append(first, o)
		}
	}
	err := torture.Run(c.Context(), t.RunOptions)
	if t.result != "" && len(first) > 0 {
		err = errors.Join(err, attacksResult(began, first, t.Short).WriteFile(t.result))
	}
	return err
}
