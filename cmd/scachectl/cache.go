package main

import (
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"scache/scached/control"
	"scache/scached/install"
	"scache/scached/operator"
)

// A cacheFlags says which connection cache is meant, and how to say what it said.
type cacheFlags struct {
	config, socket string
	timeout        time.Duration
	json           bool
}

// add defines the flags that all commands have in common that ask a connection
// cache.
func (f *cacheFlags) add(c *cobra.Command) {
	f.timeout = 10 * time.Second
	directoryVar(c.Flags(), &f.config, "config", "", "Postfix's configuration `directory` (default: $MAIL_CONFIG or the system's)")
	fileVar(c.Flags(), &f.socket, "socket", "", "the `socket` of the service, instead of the one that the configuration names")
	durationVar(c.Flags(), &f.timeout, "timeout", time.Millisecond, "how long to wait for an answer")
	c.MarkFlagsMutuallyExclusive("config", "socket")
}

func (f *cacheFlags) addJSON(c *cobra.Command) {
	c.Flags().BoolVar(&f.json, "json", false, "write an object a line")
}

// client is for the service that is meant.
func (f *cacheFlags) client() (*control.Client, error) {
	path := f.socket
	if path == "" {
		config := f.config
		if config == "" {
			config = os.Getenv("MAIL_CONFIG")
		}
		var err error
		if path, err = install.Socket(config); err != nil {
			return nil, err
		}
	}
	return &control.Client{Path: path, Timeout: f.timeout}, nil
}

// A filterFlags says which sessions and bindings are meant.
type filterFlags struct{ control.Filter }

func (f *filterFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.Transport, "transport", "", "only of this `transport` or name space")
	c.Flags().StringVar(&f.Destination, "destination", "", "only of this `destination`, such as example.com")
	c.Flags().StringVar(&f.Endpoint, "endpoint", "", "only of endpoints with this `address`")
	c.Flags().BoolVar(&f.Prefix, "prefix", false, "the words of the filter are how transport, destination or address begin")
}

// width is how wide the terminal is, 0 where the output is none.
func width() int {
	columns, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

func newStatus() *cobra.Command {
	var f cacheFlags
	c := &cobra.Command{
		Use:   "status",
		Short: "show what the connection cache holds, and what came of its sessions",
		Long: `Status asks a running scached and shows its version, what it holds, hits and
misses with their reasons, what sessions ended of, and limits with how near they
are.

With --json: version, dialect, pid, start, and metrics, whose names are those of
"scachectl metrics" without the prefix scached_.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(func(c *cobra.Command, _ []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			s, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			if f.json {
				return operator.WriteJSON(c.OutOrStdout(), operator.NewStatusObject(s))
			}
			return operator.WriteStatus(c.OutOrStdout(), s, client.Path, time.Now())
		}),
	}
	f.add(c)
	f.addJSON(c)
	return c
}

func newList() *cobra.Command {
	var f cacheFlags
	var filter filterFlags
	var bindings bool
	c := &cobra.Command{
		Use:   "list",
		Short: "list the sessions, or the bindings, in the connection cache",
		Long: `List shows the sessions that wait for the next delivery, in the order in which
they were saved, or with --bindings which destinations lead to which endpoints.

With --json, sessions have: transport, name_space (where that is not the
transport), destination, endpoint, age and left (seconds), uses, tls, features,
alive, label; bindings have transport, name_space, sender, destination, endpoint,
age, left, tls, label, endpoint_label. Labels are as smtp(8) sent them.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(func(c *cobra.Command, _ []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			if bindings {
				list, err := operator.Bindings(c.Context(), client, filter.Filter)
				if err == nil && f.json {
					return operator.WriteJSON(c.OutOrStdout(), list...)
				} else if err == nil {
					err = operator.WriteBindings(c.OutOrStdout(), list, width())
				}
				return err
			}
			list, err := operator.Sessions(c.Context(), client, filter.Filter)
			if err == nil && f.json {
				return operator.WriteJSON(c.OutOrStdout(), list...)
			} else if err == nil {
				err = operator.WriteSessions(c.OutOrStdout(), list, width())
			}
			return err
		}),
	}
	f.add(c)
	f.addJSON(c)
	filter.add(c)
	c.Flags().BoolVar(&bindings, "bindings", false, "bindings instead of sessions")
	c.Flags().Bool("sessions", true, "sessions, which is the default")
	c.MarkFlagsMutuallyExclusive("sessions", "bindings")
	return c
}

func newFlush() *cobra.Command {
	var f cacheFlags
	var filter filterFlags
	var all bool
	c := &cobra.Command{
		Use:   "flush",
		Short: "make the connection cache give up sessions",
		Long: `Flush makes scached close sessions and forget bindings: those that the filter
means, or with --all every one. With --destination, the sessions of the endpoints
that its bindings lead to.

With --json: sessions and bindings, how many went.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(func(c *cobra.Command, _ []string) error {
			if filtered := filter.Transport+filter.Destination+filter.Endpoint != ""; filtered == all {
				return misuse{errors.New("either a filter, or --all")}
			}
			client, err := f.client()
			if err != nil {
				return err
			}
			sessions, bindings, err := client.Flush(c.Context(), filter.Filter)
			if err != nil {
				return err
			}
			flushed := operator.Flushed{Sessions: sessions, Bindings: bindings}
			if f.json {
				return operator.WriteJSON(c.OutOrStdout(), flushed)
			}
			return operator.WriteFlushed(c.OutOrStdout(), flushed)
		}),
	}
	f.add(c)
	f.addJSON(c)
	filter.add(c)
	c.Flags().BoolVar(&all, "all", false, "everything")
	return c
}
