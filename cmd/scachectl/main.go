// Scachectl is the tool around scached: it shows the daemon at work in a real
// Postfix, installs it, and measures and checks it against the reference.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"scache/compat/bench"
)

// A command is one subcommand. Its file is named after it.
type command struct {
	name     string
	synopsis string // its arguments
	help     string // one line
	run      func(args []string) int
}

var commands = []command{
	{"run", "[-messages N] [-senders N] [-scached FILE]", "send mail through a private Postfix with scached, and with the reference", runRun},
	{"install", "[-config DIR] [-scached FILE] [-dry-run]", "make scached the program of Postfix's scache service", runInstall},
	{"uninstall", "[-config DIR] [-dry-run]", "take back what install did", runUninstall},
	{"script", "[-real-time] [-always-verbose] [-extended] [FILE]", "run a script of cache operations", runScript},
	{"refs", "[-scached FILE] [-reference FILE] [FILE...]", "compare scripts' results with the reference's", runRefs},
	{"diff", "[-reference FILE] [-random N] [-seed N] [-json] [FILE...]", "compare scached with the reference at everything that can be seen", runDiff},
	{"bench", "[flags]", "measure scached and the reference", runBench},
	{"torture", "[-short] [-only TEXT] [-reference] [-list] [PATH...]", "attack a daemon, and see what becomes of it and of its good clients", runTorture},
	{"soak", "[-duration TIME] [-pause TIME] [-mail N] [PATH]", "let clients come and go for long, and see whether a daemon grows", runSoak},
	{"attr", "decode|encode|showq|resolve|verify|anvil [flags]", "read and write attribute lists, and ask Postfix's services", runAttr},
}

func main() {
	bench.RunClient()
	if len(os.Args) < 2 {
		usage()
		os.Exit(2)
	}
	for _, c := range commands {
		if c.name == os.Args[1] {
			os.Exit(c.run(os.Args[2:]))
		}
	}
	fmt.Fprintf(os.Stderr, "scachectl: no such command: %s\n", os.Args[1])
	usage()
	os.Exit(2)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: scachectl COMMAND [flags]")
	table := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	for _, c := range commands {
		fmt.Fprintf(table, "  %s %s\t%s\n", c.name, c.synopsis, c.help)
	}
	table.Flush()
}

// untilInterrupted is for commands that leave nothing behind when somebody has
// seen enough.
func untilInterrupted() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
}

// input opens the one file that a command reads, for the caller to close, or is
// the standard input. If that cannot be, it says why and returns the exit status.
func input(f *flag.FlagSet) (in *os.File, status int) {
	if f.NArg() == 0 {
		return os.Stdin, 0
	}
	err, status := errors.New("one file at a time"), 2
	if f.NArg() == 1 {
		in, err = os.Open(f.Arg(0))
		status = 1
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "scachectl %s: %v\n", f.Name(), err)
		return nil, status
	}
	return in, 0
}
