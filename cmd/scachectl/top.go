package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"scache/scached/top"
)

func newTop() *cobra.Command {
	var f cacheFlags
	interval := 2 * time.Second
	c := &cobra.Command{
		Use:   "top",
		Short: "watch the connection cache: rates, and sessions by transport and destination",
		Long: `Top fills the terminal with what a running scached does: hits, misses, saves,
expiries and sessions found dead, a second, each with its history; sessions by
transport; and by destination, with the most messages that one has carried so far
and the time until the last of them goes. Where no destination is known there is
the endpoint.

Keys: s sorts by the next column, r turns the order around, / filters by words of
destination or transport, esc ends that, p pauses, q quits. When the daemon is
restarted or gone, top says so and goes on. As long as it asks, the daemon does
not end for want of clients.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(func(c *cobra.Command, _ []string) error {
			if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
				return misusef("top needs a terminal; status and metrics do not")
			}
			client, err := f.client()
			if err != nil {
				return err
			}
			return top.Run(c.Context(), top.Options{Client: client, Interval: interval, In: os.Stdin, Out: os.Stdout})
		}),
	}
	f.add(c)
	durationVar(c.Flags(), &interval, "interval", 100*time.Millisecond, "`time` between an answer and the next question")
	return c
}
