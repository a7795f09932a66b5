package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"scache/compat/torture"
)

// runSoak is "scachectl soak".
func runSoak(args []string) int {
	o := torture.SoakOptions{Out: os.Stdout}
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.DurationVar(&o.Duration, "duration", 10*time.Minute, "how long clients come and go")
	f.DurationVar(&o.Pause, "pause", 0, "what each of them waits for between two actions")
	mail := f.Int("mail", 2000, "then send so many messages through a Postfix whose cache daemon is killed again and again; 0 for none")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if f.NArg() > 1 {
		fmt.Fprintf(os.Stderr, "scachectl soak: unexpected argument %q\n", f.Arg(1))
		return 2
	}
	if o.Program = f.Arg(0); o.Program == "" {
		o.Program = besideUs("scached")
	}
	ctx, stop := untilInterrupted()
	defer stop()
	err := torture.Soak(ctx, o)
	if err == nil && *mail > 0 {
		err = torture.SoakMail(ctx, o.Program, *mail, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scachectl soak:", err)
		return 1
	}
	return 0
}
