package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// The exit statuses.
const (
	exitFailure     = 1
	exitMisuse      = 2
	exitInterrupted = 130 // as shells have it: 128 and SIGINT
)

var (
	// errTold is returned by a command whose output has told already what is
	// wrong.
	errTold = errors.New("the output tells what is wrong")
	// errInterrupted takes the place of whatever came of an interrupt.
	errInterrupted = errors.New("interrupted")
)

// A misuse is an error in what the command was called with.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

func misusef(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

// execute runs the command line. It is the one place that prints errors and
// chooses the exit status; commands return errors.
func execute(root *cobra.Command) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(explainFlag)
	root.InitDefaultCompletionCmd()
	running := false
	noteRunning(root, &running)
	c, err := root.ExecuteC()
	if err != nil && !running {
		err = misuse{err} // cobra did not come as far as to run the command
	}
	return report(c, err)
}

// noteRunning lets the commands below c, and c itself, tell that they are
// running.
func noteRunning(c *cobra.Command, running *bool) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			*running = true
			return run(c, args)
		}
	}
	for _, child := range c.Commands() {
		noteRunning(child, running)
	}
}

// report prints what came of a command, and returns the exit status.
func report(c *cobra.Command, err error) int {
	if err == nil {
		return 0
	}
	if !errors.Is(err, errTold) {
		c.PrintErrf("%s: %s\n", c.CommandPath(), strings.TrimSpace(err.Error()))
	}
	switch {
	case errors.As(err, new(misuse)):
		if c.HasAvailableSubCommands() {
			c.PrintErrf("\n%s", c.UsageString())
		} else {
			c.PrintErrf("usage: %s\n%q says more.\n", c.UseLine(), c.CommandPath()+" --help")
		}
		return exitMisuse
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	}
	return exitFailure
}

// explainFlag recognizes a long flag that was given with a single dash.
func explainFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		name, _, _ := strings.Cut(unknown.GetSpecifiedShortnames(), "=")
		if c.Flags().Lookup(name) != nil {
			return fmt.Errorf("%w; long flags have two dashes: --%s", err, name)
		}
	}
	return err
}

// untilInterrupted is for commands that leave nothing behind when somebody has
// seen enough: their context ends with the first interrupt. The second one ends
// the process, as the first does for all other commands.
func untilInterrupted(run func(c *cobra.Command, args []string) error) func(c *cobra.Command, args []string) error {
	return func(c *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), unix.SIGINT, unix.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop)
		c.SetContext(ctx)
		err := run(c, args)
		if err != nil && ctx.Err() != nil {
			return errInterrupted
		}
		return err
	}
}

// needsCommand is run by a command that does nothing but hold others.
func needsCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misusef("which command?")
	}
	return misusef("unknown command %q%s", args[0], suggestions(c, args[0]))
}

func suggestions(c *cobra.Command, name string) string {
	c.SuggestionsMinimumDistance = 2 // cobra's own for the first word
	similar := c.SuggestionsFor(name)
	if len(similar) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(similar, " or ") + "?"
}
