package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"scache/compat/script"
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
	in, status := input(f)
	if in == nil {
		return status
	}
	defer in.Close()
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
