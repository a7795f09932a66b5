package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"scache/scached/install"
)

func newTap() *cobra.Command {
	c := &cobra.Command{
		Use:   "tap",
		Short: "record what smtp(8) and the connection cache say to each other",
		Long: `Tap puts a relay between smtp(8) and the connection cache of a Postfix, scache(8)
or scached(8), and takes it out again. What passes is recorded into a file, for
"scachectl diff" and "scachectl replay". Names and addresses are replaced by hashes
unless --plain is given; no byte of a mail session is ever looked at.`,
		RunE: needsCommand,
	}
	c.AddCommand(newTapInstall(), newTapRemove())
	return c
}

func newTapInstall() *cobra.Command {
	var o install.TapOptions
	c := &cobra.Command{
		Use:   "install",
		Short: "begin to record",
		Long: `Install renames the scache service in master.cf to scache-tapped, puts an entry for
scachetap in its place, and writes scachetap.cf. It changes nothing unless all of it
can be done. Recording begins with the next "postfix reload".

The recording is a file in Postfix's data_directory that its owner alone can read;
when it is full it gets the ending .1, and another one is begun. Beside it lies the
key of the hashes, which "scachectl tap remove" removes.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.Out = c.OutOrStdout()
			return install.TapInstall(o)
		},
	}
	configVar(c, &o.Options)
	dryRunVar(c, &o.Options)
	beside, usage := besideUs("scachetap"), "the `program` to install"
	if _, err := os.Stat(beside); err != nil {
		beside = ""
		usage += " (default the one in daemon_directory)"
	}
	fileVar(c.Flags(), &o.Daemon, "scachetap", beside, usage)
	fileVar(c.Flags(), &o.Recording, "recording", "", "the `file` to record into (default scache.recording in data_directory)")
	o.SizeLimit, o.Files = 100_000_000, 5
	intVar(c.Flags(), &o.SizeLimit, "size-limit", 10_000, "how many `bytes` a file gets")
	intVar(c.Flags(), &o.Files, "files", 1, "how many `files` are kept")
	c.Flags().BoolVar(&o.Plain, "plain", false, "record names and addresses as they are")
	return c
}

func newTapRemove() *cobra.Command {
	var o install.Options
	c := &cobra.Command{
		Use:   "remove",
		Short: "record no longer",
		Long: `Remove takes back what install did in master.cf, whatever else was changed there
since, and removes scachetap.cf, the key of the hashes, the program and the socket of the
service behind the tap. The recording stays. It does not reload Postfix: until that is
done, new clients of the tap go on as without a cache.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.Out = c.OutOrStdout()
			recording, err := install.TapRemove(o)
			if err == nil {
				fmt.Fprintf(o.Out, "the recording is %s\n", recording)
			}
			return err
		},
	}
	configVar(c, &o)
	dryRunVar(c, &o)
	return c
}
