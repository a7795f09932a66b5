package main

import (
	"errors"

	"github.com/spf13/cobra"

	"scache/compat/script"
)

func newScript() *cobra.Command {
	var o script.Options
	c := &cobra.Command{
		Use:               "script [FILE]",
		Short:             "run a script of cache operations",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: files,
		RunE: func(c *cobra.Command, args []string) error {
			in, err := input(args)
			if err != nil {
				return err
			}
			defer in.Close()
			o.Out = c.OutOrStdout()
			run := func() error { return script.Run(in, o) }
			if script.IsTerminal(in) {
				run = func() error { return script.RunTerminal(in, o) }
			}
			if err = run(); errors.Is(err, script.ErrFailed) {
				return errTold
			}
			return err
		},
	}
	c.Flags().BoolVar(&o.RealTime, "real-time", false, "sleep for as long as the script says")
	c.Flags().BoolVar(&o.AlwaysVerbose, "always-verbose", false, "trace every step, whatever the script says")
	c.Flags().BoolVar(&o.Extended, "extended", false, "allow the commands that the reference does not have")
	return c
}
