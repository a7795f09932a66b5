package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"scache/compat/diff"
	"scache/scached/install"
)

func newRefs() *cobra.Command {
	var ours, reference string
	c := &cobra.Command{
		Use:               "refs [FILE...]",
		Short:             "compare scripts' results with the reference's",
		ValidArgsFunction: files,
		RunE: untilInterrupted(func(c *cobra.Command, args []string) error {
			return refs(c.Context(), ours, reference, args, c.OutOrStdout())
		}),
	}
	fileVar(c.Flags(), &ours, "scached", besideUs("scached"), "our `daemon`")
	fileVar(c.Flags(), &reference, "reference", "", "the reference's `daemon` (default: the installed scache)")
	return c
}

func refs(ctx context.Context, ours, reference string, files []string, out io.Writer) (err error) {
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
	return diff.CompareScripts(ctx, files, append(servers, diff.Side{Name: "in process"}), out)
}
