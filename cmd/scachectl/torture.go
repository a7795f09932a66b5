package main

import (
	"flag"
	"fmt"
	"os"

	"golang.org/x/term"

	"scache/compat/torture"
	"scache/scached/install"
)

// runTorture is "scachectl torture".
func runTorture(args []string) int {
	o := torture.RunOptions{Out: os.Stdout}
	f := flag.NewFlagSet("torture", flag.ContinueOnError)
	f.BoolVar(&o.Short, "short", false, "only what the tests do, a few seconds an attack")
	f.StringVar(&o.Only, "only", "", "only attacks with this `text` in their name")
	beside := f.Bool("reference", false, "attack the installed scache as well")
	list := f.Bool("list", false, "only say what the attacks are")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if *list {
		for _, attack := range torture.Attacks() {
			fmt.Println(attack.Name)
		}
		return 0
	}
	if o.Programs = f.Args(); len(o.Programs) == 0 {
		o.Programs = []string{besideUs("scached")}
	}
	if *beside {
		path, err := install.ReferenceProgram()
		if err != nil {
			fmt.Fprintln(os.Stderr, "scachectl torture:", err)
			return 1
		}
		o.Programs = append(o.Programs, path)
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		o.Progress = func(what string) { fmt.Fprintf(os.Stderr, "\r\x1b[K%s", what) }
		defer fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	ctx, stop := untilInterrupted()
	defer stop()
	if err := torture.Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "scachectl torture:", err)
		return 1
	}
	return 0
}
