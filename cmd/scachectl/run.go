package main

import (
	"github.com/spf13/cobra"

	"scache/compat/mail"
)

func newRun() *cobra.Command {
	o := mail.RunOptions{Messages: 300, Senders: 5}
	c := &cobra.Command{
		Use:   "run",
		Short: "send mail through a private Postfix with scached, and with the reference",
		Long: `Run brings up a private Postfix in a temporary directory, with a mail sink,
sends mail through it with scached in the place of scache(8), does it all again
with Postfix's own, and prints what came of it. It touches no Postfix that is
there.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(func(c *cobra.Command, _ []string) error {
			o.Out = c.OutOrStdout()
			return mail.Run(c.Context(), o)
		}),
	}
	fileVar(c.Flags(), &o.Scached, "scached", besideUs("scached"), "our `daemon`")
	intVar(c.Flags(), &o.Messages, "messages", 1, "the `number` of messages to send")
	intVar(c.Flags(), &o.Senders, "senders", 1, "the `number` of them that are sent at a time")
	return c
}
