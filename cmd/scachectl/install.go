package main

import (
	"os"

	"github.com/spf13/cobra"

	"scache/scached/install"
)

func newInstall() *cobra.Command {
	var o install.Options
	c := &cobra.Command{
		Use:   "install",
		Short: "make scached the program of Postfix's scache service",
		Long: `Install copies scached into Postfix's daemon_directory, makes it the program of
the scache service in master.cf, and sets the dialect that this Postfix speaks
in scached.cf. Run it again for a new scached, or when Postfix has got another
version. It changes nothing unless all of it can be done, and what it does can be
taken back with "scachectl uninstall". It does not reload Postfix.`,
		Args: cobra.NoArgs,
		RunE: installing(&o, install.Install),
	}
	configVar(c, &o)
	daemonVar(c, &o, "the `daemon` to install")
	dryRunVar(c, &o)
	return c
}

func newUninstall() *cobra.Command {
	var o install.Options
	var all bool
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "take back what install did",
		Long: `Uninstall makes scache(8) the program of the service again, whatever else was
changed in master.cf since, and removes what "scachectl install" has added. It
does not reload Postfix.`,
		Args: cobra.NoArgs,
		RunE: installing(&o, func(o install.Options) error {
			if all {
				return install.UninstallAll(o)
			}
			return install.Uninstall(o)
		}),
	}
	configVar(c, &o)
	dryRunVar(c, &o)
	c.Flags().BoolVar(&all, "all", false, "for every Postfix instance that uses scached")
	c.MarkFlagsMutuallyExclusive("all", "config")
	return c
}

func newCheck() *cobra.Command {
	var o install.Options
	c := &cobra.Command{
		Use:   "check",
		Short: "say whether scached works with a Postfix and its configuration",
		Long: `Check looks at Postfix, its master.cf, the parameters in main.cf and scached.cf
and after -o, lets the daemon start with them, and says what would keep it from
working, before it delays any mail. It changes nothing.`,
		Args: cobra.NoArgs,
		RunE: installing(&o, install.Check),
	}
	configVar(c, &o)
	daemonVar(c, &o, "the `daemon` to check")
	return c
}

func installing(o *install.Options, do func(install.Options) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		o.Out = c.OutOrStdout()
		return do(*o)
	}
}

func configVar(c *cobra.Command, o *install.Options) {
	directoryVar(c.Flags(), &o.ConfigDir, "config", "", "Postfix's configuration `directory` (default $MAIL_CONFIG, or the system's)")
}

// daemonVar is for a daemon that was built together with this program, or else
// was put where it belongs by a package of the system.
func daemonVar(c *cobra.Command, o *install.Options, usage string) {
	beside := besideUs("scached")
	if _, err := os.Stat(beside); err != nil {
		beside = ""
		usage += " (default the one in daemon_directory)"
	}
	fileVar(c.Flags(), &o.Daemon, "scached", beside, usage)
}

func dryRunVar(c *cobra.Command, o *install.Options) {
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would be done")
}
