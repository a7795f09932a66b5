package main

import "github.com/spf13/cobra"

// What shells complete the value of a flag with.
const (
	completeFiles       = cobra.BashCompFilenameExt
	completeDirectories = cobra.BashCompSubdirsInDir
)

// files completes arguments with the names of files.
func files(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// words completes with one of some words.
func words(list ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}
