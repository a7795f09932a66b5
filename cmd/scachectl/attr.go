package main

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"scache/attrproto"
	"scache/attrproto/attrtool"
	"scache/attrproto/service"
)

func newAttr() *cobra.Command {
	c := &cobra.Command{
		Use:   "attr",
		Short: "read and write attribute lists, and ask Postfix's services",
		RunE:  needsCommand,
	}
	c.AddCommand(
		newConvert("decode", "make a stream of attribute lists readable", attrtool.Decode),
		newConvert("encode", "the way back", attrtool.Encode),
		newShowq(), newResolve(), newVerify(), newAnvil(),
	)
	return c
}

// newConvert is a command that copies a file or the standard input to the
// standard output.
func newConvert(name, short string, convert func(io.Writer, io.Reader, attrproto.Encoding, attrtool.Format) error) *cobra.Command {
	encoding := encodingFlag(attrproto.Null)
	var json bool
	c := &cobra.Command{
		Use:               name + " [FILE]",
		Short:             short,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: files,
		RunE: func(c *cobra.Command, args []string) error {
			in, err := input(args)
			if err != nil {
				return err
			}
			defer in.Close()
			return convert(c.OutOrStdout(), in, attrproto.Encoding(encoding), format(json))
		},
	}
	c.Flags().Var(&encoding, "encoding", "`encoding` of the stream: null, base64 or plain")
	c.RegisterFlagCompletionFunc("encoding", words("null", "base64", "plain"))
	jsonVar(c.Flags(), &json)
	return c
}

// An encodingFlag is the value of a flag.
type encodingFlag attrproto.Encoding

func (e *encodingFlag) Type() string   { return "encoding" }
func (e *encodingFlag) String() string { return attrproto.Encoding(*e).String() }

func (e *encodingFlag) Set(s string) error {
	encoding, ok := attrproto.ParseEncoding(s)
	if !ok {
		return errors.New("no such encoding")
	}
	*e = encodingFlag(encoding)
	return nil
}

func jsonVar(f *pflag.FlagSet, p *bool) { f.BoolVar(p, "json", false, "JSON in place of lines") }

func format(json bool) attrtool.Format {
	if json {
		return attrtool.JSON
	}
	return attrtool.Lines
}

// An ask is what the commands that ask Postfix's services have in common.
type ask struct {
	postfix service.Postfix
	json    bool
}

// flags says which Postfix to ask, and how to answer.
func (a *ask) flags(f *pflag.FlagSet) {
	a.postfix.Timeout = service.DefaultTimeout
	directoryVar(f, &a.postfix.QueueDirectory, "queue", service.DefaultQueueDirectory, "Postfix's queue `directory`")
	durationVar(f, &a.postfix.Timeout, "timeout", time.Millisecond, "the `time` to wait")
	jsonVar(f, &a.json)
}

// greeting is for services that speak first, as they do since Postfix 3.6.
func (a *ask) greeting(f *pflag.FlagSet) {
	f.BoolVar(&a.postfix.NoGreeting, "no-greeting", false, "Postfix is older than 3.6, where services do not speak first")
}

func newShowq() *cobra.Command {
	var a ask
	c := &cobra.Command{
		Use:   "showq",
		Short: "list the mail queue",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return attrtool.PrintQueue(c.OutOrStdout(), a.postfix.Queue(), format(a.json))
		},
	}
	a.flags(c.Flags())
	return c
}

func newResolve() *cobra.Command {
	var a ask
	var sender string
	c := &cobra.Command{
		Use:   "resolve ADDRESS...",
		Short: "ask where mail goes",
		Args:  cobra.MinimumNArgs(1),
		RunE: each(func(c *cobra.Command, address string) error {
			route, err := a.postfix.Resolve(sender, address)
			if err != nil {
				return err
			}
			return attrtool.PrintRoute(c.OutOrStdout(), address, route, format(a.json))
		}),
	}
	a.flags(c.Flags())
	a.greeting(c.Flags())
	c.Flags().StringVar(&sender, "sender", "", "the `address` that the mail is from")
	return c
}

func newVerify() *cobra.Command {
	var a ask
	c := &cobra.Command{
		Use:   "verify ADDRESS...",
		Short: "ask whether addresses are deliverable; sends probes",
		Args:  cobra.MinimumNArgs(1),
		RunE: each(func(c *cobra.Command, address string) error {
			v, err := a.postfix.Verify(address)
			if err != nil {
				return err
			}
			return attrtool.PrintVerification(c.OutOrStdout(), address, v, format(a.json))
		}),
	}
	a.flags(c.Flags())
	a.greeting(c.Flags())
	return c
}

func newAnvil() *cobra.Command {
	var a ask
	c := &cobra.Command{
		Use:   "anvil SERVICE CLIENT",
		Short: "ask how busy a client is",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			rates, err := a.postfix.Anvil(args[0], args[1])
			if err != nil {
				return err
			}
			return attrtool.PrintRates(c.OutOrStdout(), rates, format(a.json))
		},
	}
	a.flags(c.Flags())
	a.greeting(c.Flags())
	return c
}

// each does something for each argument, up to the first error.
func each(do func(c *cobra.Command, arg string) error) func(c *cobra.Command, args []string) error {
	return func(c *cobra.Command, args []string) error {
		for _, arg := range args {
			if err := do(c, arg); err != nil {
				return err
			}
		}
		return nil
	}
}
