package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"scache/compat/bench"
	"scache/compat/diff"
)

func newReplay() *cobra.Command {
	o := bench.ReplayOptions{Load: 1, Rounds: 3}
	c := &cobra.Command{
		Use:   "replay RECORDING",
		Short: "use what scachetap recorded as a load for scached and the reference",
		Long: `Replay plays a recording to scached and to scache(8), in turn and without the pauses
in it, and prints how fast each was and what CPU it took. With --load N it plays N
copies at a time, which share what they save.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: files,
		RunE: untilInterrupted(func(c *cobra.Command, args []string) error {
			list, err := diff.ReadFile(args[0])
			if err != nil {
				return err
			}
			if len(list) != 1 || list[0].Setup.Dialect != "" {
				return fmt.Errorf("%s is no recording of Postfix 3.6 or later", args[0])
			}
			return bench.Replay(c.Context(), list[0].Steps, o, c.OutOrStdout())
		}),
	}
	fileVar(c.Flags(), &o.Scached, "scached", besideUs("scached"), "our `daemon`")
	fileVar(c.Flags(), &o.Reference, "reference", "", "the reference's `daemon` (default: the installed scache)")
	intVar(c.Flags(), &o.Load, "load", 1, "the `number` of copies that are played at a time")
	intVar(c.Flags(), &o.Rounds, "rounds", 1, "the `number` of times that each daemon plays them")
	return c
}
