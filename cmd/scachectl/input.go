package main

import "os"

// input opens the one file that a command reads, for the caller to close, or is
// the standard input.
func input(args []string) (*os.File, error) {
	if len(args) == 0 {
		return os.Stdin, nil
	}
	return os.Open(args[0])
}
