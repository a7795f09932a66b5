package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"scache/compat/diff"
	"scache/scached/install"
)

// runRefs is "scachectl refs".
func runRefs(args []string) int {
	f := flag.NewFlagSet("refs", flag.ContinueOnError)
	ours := f.String("scached", besideUs("scached"), "our daemon")
	reference := f.String("reference", "", "the reference (default: the installed scache)")
	if err := f.Parse(args); err != nil {
		return 2
	}
	ctx, stop := untilInterrupted()
	defer stop()
	if err := refs(ctx, *ours, *reference, f.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "scachectl refs:", err)
		return 1
	}
	return 0
}

func refs(ctx context.Context, ours, reference string, files []string) (err error) {
	if len(files) == 0 {
		if files, err = filepath.Glob("testdata/scenarios/*.in"); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return errors.New("no scripts given, and none in testdata/scenarios")
	}
	if reference == "" {
		if reference, err = install.ReferenceProgram(); err != nil {
			return err
		}
	}
	servers, stop, err := diff.StartServers(ctx,
		diff.Server{Name: "reference", Path: reference}, diff.Server{Name: "scached", Path: ours})
	if err != nil {
		return err
	}
	defer stop()
	return diff.CompareScripts(files, append(servers, diff.Side{Name: "in process"}), os.Stdout)
}
