package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"scache/scached/script"
)

// runScript is "scachectl script".
func runScript(args []string) int {
	o := script.Options{Out: os.Stdout}
	f := flag.NewFlagSet("script", flag.ContinueOnError)
	f.BoolVar(&o.RealTime, "real-time", false, "sleep for as long as the script says")
	f.BoolVar(&o.AlwaysVerbose, "always-verbose", false, "trace every step, whatever the script says")
	f.BoolVar(&o.Extended, "extended", false, "allow the commands that the reference does not have")
	if err := f.Parse(args); err != nil {
		return 2
	}
	in := os.Stdin
	switch f.NArg() {
	case 0:
	case 1:
		file, err := os.Open(f.Arg(0))
		if err != nil {
			return scriptError(err)
		}
		defer file.Close()
		in = file
	default:
		fmt.Fprintln(os.Stderr, "scachectl script: one file at a time")
		return 2
	}
	if script.IsTerminal(in) {
		return scriptError(script.RunTerminal(in, o))
	}
	return scriptError(script.Run(in, o))
}

// scriptError returns the exit status; what the script said is not repeated.
func scriptError(err error) int {
	if err == nil {
		return 0
	}
	if !errors.Is(err, script.ErrFailed) {
		fmt.Fprintln(os.Stderr, "scachectl script:", err)
	}
	return 1
}
