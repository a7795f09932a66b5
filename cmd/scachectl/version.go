package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"scache/scached/version"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "say which version this is",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "scachectl", versionLine())
			return err
		},
	}
}

// versionLine is the version of both programs, which are built together, and of
// the compiler.
func versionLine() string {
	return fmt.Sprintf("%s (%s %s/%s)", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
