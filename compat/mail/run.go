package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"scache/compat/postfix"
	"scache/scached/install"
)

// RunOptions say what [Run] sends through which daemon.
type RunOptions struct {
	Scached  string // path of our daemon
	Messages int
	Senders  int // connections that submit mail at a time
	Out      io.Writer
}

// A runRow is one line of Run's table.
type runRow struct {
	name string
	*Result
}

// Run sends the same mail through a private Postfix with our daemon and
// through one with the reference, and prints what came of it. Where Postfix
// cannot be had it says so, and makes the same deliveries itself.
// It is an error when a message was lost or delivered more than once.
func Run(ctx context.Context, o RunOptions) error {
	own, err := install.FindInstalled()
	if err == nil && os.Getuid() != 0 {
		err = errors.New("only root can start postfix")
	}
	if err != nil {
		fmt.Fprintf(o.Out, "Cannot run a real Postfix: %v.\n", err)
		return runStandIn(ctx, o)
	}
	fmt.Fprintf(o.Out, "Postfix %s, smtp_connection_cache_destinations on: %d messages to one destination, %d senders at a time.\n",
		own.Version, o.Messages, o.Senders)
	var rows []runRow
	for _, program := range []string{o.Scached, ""} {
		result, err := Delivery{
			Postfix: postfix.Options{Cache: program, Main: []string{
				"smtp_connection_cache_on_demand = no",
				"smtp_connection_cache_destinations = static:all",
			}},
			Mail:  Injection{Messages: o.Messages, Senders: o.Senders},
			After: Statistics,
		}.Run(ctx)
		if err != nil {
			return err
		}
		name := "scached"
		if program == "" {
			name = "the reference"
		}
		rows = append(rows, runRow{name, result})
	}
	return printRows(o.Out, rows)
}

// runStandIn makes the deliveries without Postfix: with our client in the
// place of smtp(8), and our daemon under a stand-in master.
func runStandIn(ctx context.Context, o RunOptions) error {
	fmt.Fprintf(o.Out, "A stand-in for master(8) and smtp(8) instead: %d messages to one destination, %d senders at a time.\n",
		o.Messages, o.Senders)
	result, err := DeliverStandIn(ctx, o.Scached, Injection{Messages: o.Messages, Senders: o.Senders})
	if err != nil {
		return err
	}
	return printRows(o.Out, []runRow{{"scached", result}})
}

func printRows(out io.Writer, rows []runRow) error {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tdelivered\tTCP connections\treused deliveries\tshare\t")
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f%%\t\n", row.name, row.Delivered, row.Connections, row.Reused, 100*row.ReusedShare())
	}
	table.Flush()
	for _, row := range rows {
		fmt.Fprintf(out, "\nStatistics of %s:\n", row.name)
		for _, line := range row.Statistics {
			fmt.Fprintln(out, "  "+line)
		}
	}
	var failures []error
	for _, row := range rows {
		failures = append(failures, row.failure())
	}
	return errors.Join(failures...)
}

// failure is nil when every message was delivered once and nobody complained.
func (r runRow) failure() error {
	var what []string
	for _, messages := range []struct {
		how  string
		what []string
	}{{"lost", r.Lost}, {"delivered more than once", r.Duplicates}, {"unexpected", r.Unexpected}} {
		if len(messages.what) > 0 {
			what = append(what, fmt.Sprintf("%d messages %s", len(messages.what), messages.how))
		}
	}
	for _, line := range r.Problems {
		what = append(what, line.Raw)
	}
	if len(what) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", r.name, strings.Join(what, "; "))
}
