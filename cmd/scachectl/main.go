// Scachectl is the tool around scached: it shows the daemon at work in a real
// Postfix, installs it, and measures and checks it against the reference.
package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"scache/compat/bench"
	"scache/compat/torture"
)

func main() {
	bench.RunClient()
	torture.RunHanging()
	os.Exit(execute(newRoot()))
}

// The groups in which the commands are listed.
const (
	groupOperate = "operate"
	groupCompare = "compare"
)

// newRoot returns the whole tree of commands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "scachectl",
		Short: "the tool around scached, a connection cache server for Postfix",
		Long: `Scachectl is the tool around scached(8), the connection cache server for Postfix. It
puts scached into a Postfix and takes it out again, says whether its
configuration is right, and shows what it does. It also compares scached with
scache(8), in what can be seen, in speed and under attack.`,
		RunE: needsCommand,
	}
	root.AddGroup(
		&cobra.Group{ID: groupOperate, Title: "On a mail server:"},
		&cobra.Group{ID: groupCompare, Title: "See it work, and compare it with scache(8):"},
	)
	addTo(root, groupOperate, newInstall(), newUninstall(), newCheck(), newDoctor(), newStatus(), newList(), newTop(), newFlush(),
		newMetrics(), newExporter(), newTap(), newAttr())
	addTo(root, groupCompare, newRun(), newDiff(), newRefs(), newScript(), newReplay(), newBench(), newTorture(), newSimulate(), newFuzz(), newConformance(), newSoak())
	root.AddCommand(newVersion(), newGenerate())
	root.SetHelpCommand(newHelp())
	root.SetUsageTemplate(strings.NewReplacer(
		"[command]", "COMMAND",
		"{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}",
	).Replace(root.UsageTemplate()))
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

func addTo(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// besideUs is the path of a program that was built together with this one.
func besideUs(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
