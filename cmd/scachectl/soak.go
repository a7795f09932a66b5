package main

import (
	"time"

	"github.com/spf13/cobra"

	"scache/compat/torture"
)

func newSoak() *cobra.Command {
	o := torture.SoakOptions{Duration: 10 * time.Minute}
	mail := 2000
	c := &cobra.Command{
		Use:               "soak [DAEMON]",
		Short:             "let clients come and go for long, and see whether a daemon grows",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: files,
		RunE: untilInterrupted(func(c *cobra.Command, args []string) error {
			o.Program, o.Out = besideUs("scached"), c.OutOrStdout()
			if len(args) > 0 {
				o.Program = args[0]
			}
			if err := torture.Soak(c.Context(), o); err != nil || mail == 0 {
				return err
			}
			return torture.SoakMail(c.Context(), o.Program, mail, o.Out)
		}),
	}
	durationVar(c.Flags(), &o.Duration, "duration", time.Second, "the `time` for which clients come and go")
	durationVar(c.Flags(), &o.Pause, "pause", 0, "the `time` for which each of them waits between two actions")
	intVar(c.Flags(), &mail, "mail", 0, "the `number` of messages that are then sent through a Postfix whose cache daemon is killed again and again; 0 for none")
	return c
}
