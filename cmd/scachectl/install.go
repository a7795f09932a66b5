package main

import (
	"flag"
	"fmt"
	"os"

	"scache/scached/install"
)

// runInstall is "scachectl install".
func runInstall(args []string) int {
	f, o := installFlags("install")
	f.StringVar(&o.Daemon, "scached", besideUs("scached"), "the daemon to install")
	return installOrNot(f, o, args, install.Install)
}

// runUninstall is "scachectl uninstall".
func runUninstall(args []string) int {
	f, o := installFlags("uninstall")
	return installOrNot(f, o, args, install.Uninstall)
}

func installFlags(name string) (*flag.FlagSet, *install.Options) {
	o := &install.Options{Out: os.Stdout}
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.StringVar(&o.ConfigDir, "config", "", "Postfix's configuration `directory` (default the system's)")
	f.BoolVar(&o.DryRun, "dry-run", false, "say what would be done")
	return f, o
}

func installOrNot(f *flag.FlagSet, o *install.Options, args []string, do func(install.Options) error) int {
	if err := f.Parse(args); err != nil {
		return 2
	}
	if f.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "scachectl %s: unexpected argument %q\n", f.Name(), f.Arg(0))
		return 2
	}
	if err := do(*o); err != nil {
		fmt.Fprintln(os.Stderr, "scachectl", err)
		return 1
	}
	return 0
}
