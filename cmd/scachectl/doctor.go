package main

import (
	"os"

	"github.com/spf13/cobra"

	"scache/scached/doctor"
)

func newDoctor() *cobra.Command {
	var config, sender string
	var json bool
	c := &cobra.Command{
		Use:   "doctor [DESTINATION]",
		Short: "say why connections are reused, or why they are not",
		Long: `Doctor reads Postfix's configuration and scached's, and asks the daemon that runs.
It says what is wrong or worth knowing, where it read that, and what to change.
DESTINATION is a domain or an address that mail is for, of which doctor finds out by
which transport it goes, and where to; or it is a nexthop, such as [192.0.2.1]:587.
Tables are asked with postmap(1), those of senders with --sender alone. It changes
nothing. The exit status is 1 when something is wrong.

With --json, findings have: wrong, what, where, change.`,
		Args: cobra.MaximumNArgs(1),
		RunE: untilInterrupted(func(c *cobra.Command, args []string) error {
			if config == "" {
				config = os.Getenv("MAIL_CONFIG")
			}
			destination := ""
			if len(args) > 0 {
				destination = args[0]
			}
			facts, err := doctor.Gather(c.Context(), config, destination, sender)
			if err != nil {
				return err
			}
			findings := doctor.Examine(facts)
			write := doctor.Write
			if json {
				write = doctor.WriteJSON
			}
			if err := write(c.OutOrStdout(), findings); err != nil {
				return err
			}
			if doctor.AnyWrong(findings) {
				return errTold
			}
			return nil
		}),
	}
	directoryVar(c.Flags(), &config, "config", "", "Postfix's configuration `directory` (default: $MAIL_CONFIG or the system's)")
	c.Flags().StringVar(&sender, "sender", "", "`address` that the mail is from, for tables that depend on it")
	c.Flags().BoolVar(&json, "json", false, "write an object a line")
	return c
}
