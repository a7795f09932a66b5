package main

import (
	"github.com/spf13/cobra"

	"scache/scached/install"
)

func newInstall() *cobra.Command {
	var o install.Options
	c := &cobra.Command{
		Use:   "install",
		Short: "make scached the program of Postfix's scache service",
		Args:  cobra.NoArgs,
		RunE:  installing(&o, install.Install),
	}
	installFlags(c, &o)
	fileVar(c.Flags(), &o.Daemon, "scached", besideUs("scached"), "the `daemon` to install")
	return c
}

func newUninstall() *cobra.Command {
	var o install.Options
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "take back what install did",
		Args:  cobra.NoArgs,
		RunE:  installing(&o, install.Uninstall),
	}
	installFlags(c, &o)
	return c
}

func installing(o *install.Options, do func(install.Options) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		o.Out = c.OutOrStdout()
		return do(*o)
	}
}

func installFlags(c *cobra.Command, o *install.Options) {
	directoryVar(c.Flags(), &o.ConfigDir, "config", "", "Postfix's configuration `directory` (default the system's)")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would be done")
}
