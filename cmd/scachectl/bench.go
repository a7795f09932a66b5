package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"scache/compat/bench"
)

// runBench is "scachectl bench".
func runBench(args []string) int {
	o := bench.Defaults()
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.Scached, "scached", besideUs("scached"), "our daemon")
	f.StringVar(&o.Reference, "reference", "", "the reference (default: the installed scache)")
	f.Func("args", "`arguments` of our daemon, as in master.cf", func(s string) error {
		o.Args = strings.Fields(s)
		return nil
	})
	f.Func("only", "what to measure: `parts` out of "+strings.Join(bench.Parts, ","), func(s string) error {
		o.Parts = strings.Split(s, ",")
		return nil
	})
	numbers(f, &o.Sessions, "sessions", "`numbers` of sessions that are cached")
	numbers(f, &o.Clients, "clients", "`numbers` of clients at a time")
	f.Func("pauses", "pauses of one client between two cycles, as `durations` (default 1s,200ms,20ms,5ms,1ms,0)", func(s string) error {
		o.Pauses = nil
		for word := range strings.SplitSeq(s, ",") {
			pause, err := time.ParseDuration(word)
			if err != nil {
				return err
			}
			o.Pauses = append(o.Pauses, pause)
		}
		return nil
	})
	numbers(f, &o.PauseSessions, "pause-sessions", "`numbers` of sessions that are cached with pauses")
	f.IntVar(&o.Rounds, "rounds", o.Rounds, "how often everything is measured")
	f.DurationVar(&o.Length, "time", o.Length, "how long each load lasts")
	f.IntVar(&o.TTL, "ttl", o.TTL, "seconds that the sessions of the load may stay; the cached ones stay for an hour, and in a mail system all stay equally long")
	f.IntVar(&o.Messages, "messages", o.Messages, "how many messages go through Postfix")
	json := f.Bool("json", false, "print everything as JSON")
	plot := f.String("plot", "", "draw CPU over sessions cached into this `file` (SVG)")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if f.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "scachectl bench: unexpected argument %q\n", f.Arg(0))
		return 2
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		o.Progress = os.Stderr
	}
	if err := measure(o, *json, *plot); err != nil {
		fmt.Fprintln(os.Stderr, "scachectl:", err)
		return 1
	}
	return 0
}

func measure(o bench.Options, json bool, plot string) error {
	ctx, stop := untilInterrupted()
	defer stop()
	report, err := bench.Run(ctx, o)
	if err != nil {
		return err
	}
	if plot != "" {
		if err := writePlot(report, plot); err != nil {
			return err
		}
	}
	if json {
		return report.WriteJSON(os.Stdout)
	}
	return report.WriteText(os.Stdout)
}

func writePlot(report *bench.Report, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := report.WritePlot(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// numbers defines a flag for a list of numbers.
func numbers(f *flag.FlagSet, p *[]int, name, usage string) {
	var words []string
	for _, n := range *p {
		words = append(words, strconv.Itoa(n))
	}
	usage += " (default " + strings.Join(words, ",") + ")"
	f.Func(name, usage, func(s string) error {
		var list []int
		for word := range strings.SplitSeq(s, ",") {
			n, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			list = append(list, n)
		}
		*p = list
		return nil
	})
}

// besideUs is the path of a program that was built together with this one.
func besideUs(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
