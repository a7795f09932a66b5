package main

import (
	"flag"
	"fmt"
	"os"

	"scache/compat/mail"
)

// runRun is "scachectl run".
func runRun(args []string) int {
	o := mail.RunOptions{Out: os.Stdout}
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	f.StringVar(&o.Scached, "scached", besideUs("scached"), "our daemon")
	f.IntVar(&o.Messages, "messages", 300, "how many messages to send")
	f.IntVar(&o.Senders, "senders", 5, "how many of them at a time")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if f.NArg() > 0 || o.Messages < 1 || o.Senders < 1 {
		fmt.Fprintln(os.Stderr, "scachectl run: no arguments but flags, and at least one message and sender")
		return 2
	}
	ctx, stop := untilInterrupted()
	defer stop()
	if err := mail.Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "scachectl run:", err)
		return 1
	}
	return 0
}
