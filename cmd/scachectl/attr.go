package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"scache/attrproto"
	"scache/attrproto/attrtool"
	"scache/attrproto/service"
)

// attrCommands are what "scachectl attr" knows, by their first argument.
var attrCommands = []command{
	{"decode", "[-encoding null|base64|plain] [-json] [FILE]", "make a stream of attribute lists readable", runAttrDecode},
	{"encode", "[-encoding null|base64|plain] [-json] [FILE]", "the way back", runAttrEncode},
	{"showq", "[-queue DIR] [-timeout TIME] [-json]", "list the mail queue", runAttrShowq},
	{"resolve", "[-queue DIR] [-no-greeting] [-timeout TIME] [-json] [-sender ADDRESS] ADDRESS...", "ask where mail goes", runAttrResolve},
	{"verify", "[-queue DIR] [-no-greeting] [-timeout TIME] [-json] ADDRESS...", "ask whether addresses are deliverable; sends probes", runAttrVerify},
	{"anvil", "[-queue DIR] [-no-greeting] [-timeout TIME] [-json] SERVICE CLIENT", "ask how busy a client is", runAttrAnvil},
}

// runAttr is "scachectl attr".
func runAttr(args []string) int {
	if len(args) > 0 {
		for _, c := range attrCommands {
			if c.name == args[0] {
				return c.run(args[1:])
			}
		}
		fmt.Fprintf(os.Stderr, "scachectl attr: no such command: %s\n", args[0])
	}
	fmt.Fprintln(os.Stderr, "usage: scachectl attr COMMAND [flags]")
	for _, c := range attrCommands {
		fmt.Fprintf(os.Stderr, "  %s %s\n        %s\n", c.name, c.synopsis, c.help)
	}
	return 2
}

func runAttrDecode(args []string) int { return convert("decode", attrtool.Decode, args) }

func runAttrEncode(args []string) int { return convert("encode", attrtool.Encode, args) }

// convert copies a file or the standard input to the standard output.
func convert(name string, copy func(io.Writer, io.Reader, attrproto.Encoding, attrtool.Format) error, args []string) int {
	f := flag.NewFlagSet("attr "+name, flag.ContinueOnError)
	encoding := attrproto.Null
	f.Func("encoding", "null, base64 or plain (default null)", func(s string) error {
		e, ok := attrproto.ParseEncoding(s)
		if !ok {
			return fmt.Errorf("no such encoding")
		}
		encoding = e
		return nil
	})
	format := jsonFlag(f)
	if err := f.Parse(args); err != nil {
		return 2
	}
	in, status := input(f)
	if in == nil {
		return status
	}
	defer in.Close()
	return attrError(copy(os.Stdout, in, encoding, *format))
}

func runAttrShowq(args []string) int {
	f, p, format := postfixFlags("showq")
	if !parseAttr(f, args, 0, 0) {
		return 2
	}
	return attrError(attrtool.PrintQueue(os.Stdout, p.Queue(), *format))
}

func runAttrResolve(args []string) int {
	f, p, format := postfixFlags("resolve")
	greetingFlag(f, p)
	sender := f.String("sender", "", "the `address` that the mail is from")
	if !parseAttr(f, args, 1, -1) {
		return 2
	}
	return eachAddress(f, func(address string) error {
		route, err := p.Resolve(*sender, address)
		if err != nil {
			return err
		}
		return attrtool.PrintRoute(os.Stdout, address, route, *format)
	})
}

func runAttrVerify(args []string) int {
	f, p, format := postfixFlags("verify")
	greetingFlag(f, p)
	if !parseAttr(f, args, 1, -1) {
		return 2
	}
	return eachAddress(f, func(address string) error {
		v, err := p.Verify(address)
		if err != nil {
			return err
		}
		return attrtool.PrintVerification(os.Stdout, address, v, *format)
	})
}

func runAttrAnvil(args []string) int {
	f, p, format := postfixFlags("anvil")
	greetingFlag(f, p)
	if !parseAttr(f, args, 2, 2) {
		return 2
	}
	rates, err := p.Anvil(f.Arg(0), f.Arg(1))
	if err != nil {
		return attrError(err)
	}
	return attrError(attrtool.PrintRates(os.Stdout, rates, *format))
}

// eachAddress does something for each argument, up to the first error.
func eachAddress(f *flag.FlagSet, do func(address string) error) int {
	for _, address := range f.Args() {
		if err := do(address); err != nil {
			return attrError(err)
		}
	}
	return 0
}

// postfixFlags are the flags that say which Postfix to ask, and how to answer.
func postfixFlags(name string) (*flag.FlagSet, *service.Postfix, *attrtool.Format) {
	f := flag.NewFlagSet("attr "+name, flag.ContinueOnError)
	p := new(service.Postfix)
	f.StringVar(&p.QueueDirectory, "queue", service.DefaultQueueDirectory, "Postfix's queue `directory`")
	f.DurationVar(&p.Timeout, "timeout", service.DefaultTimeout, "how long to wait")
	return f, p, jsonFlag(f)
}

func greetingFlag(f *flag.FlagSet, p *service.Postfix) {
	f.BoolVar(&p.NoGreeting, "no-greeting", false, "Postfix is older than 3.6, where services do not speak first")
}

func jsonFlag(f *flag.FlagSet) *attrtool.Format {
	format := attrtool.Lines
	f.BoolFunc("json", "JSON in place of lines", func(string) error {
		format = attrtool.JSON
		return nil
	})
	return &format
}

// parseAttr parses arguments of which from least to most, -1 for any number,
// must be left.
func parseAttr(f *flag.FlagSet, args []string, least, most int) bool {
	if f.Parse(args) != nil {
		return false
	}
	if n := f.NArg(); n < least || most >= 0 && n > most {
		fmt.Fprintf(os.Stderr, "scachectl %s: wrong number of arguments\n", f.Name())
		f.Usage()
		return false
	}
	return true
}

// attrError returns the exit status.
func attrError(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "scachectl attr:", err)
	return 1
}
