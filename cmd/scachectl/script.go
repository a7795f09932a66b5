package main

import (
	"github.com/spf13/cobra"

	"scache/compat/script"
)

func newScript() *cobra.Command {
	var o script.Options
	c := &cobra.Command{
		Use:   "script [FILE]",
		Short: "run a script of cache operations",
		Long: "Run a script of cache operations and print what the driver prints that Postfix\n" +
			"tests its cache with. Without FILE the script comes from standard input.\n\n" + script.Help(),
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: files,
		RunE: func(c *cobra.Command, args []string) error {
			in, err := input(args)
			if err != nil {
				return err
			}
			defer in.Close()
			o.Out, o.Name = c.OutOrStdout(), "standard input"
			if len(args) > 0 {
				o.Name = args[0]
			}
			if script.IsTerminal(in) {
				return script.RunTerminal(in, o)
			}
			return script.Run(in, o)
		},
	}
	c.Flags().BoolVar(&o.RealTime, "real-time", false, "sleep for as long as the script says")
	c.Flags().BoolVar(&o.AlwaysVerbose, "always-verbose", false, "trace every step, whatever the script says")
	c.Flags().BoolVar(&o.Extended, "extended", false, "allow the commands that the reference does not have")
	return c
}
