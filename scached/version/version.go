// Package version says which version of the project a program was built from.
// There is nothing to keep up to date: the Makefile asks git(1), and who builds
// without history says it there:
//
//	make VERSION=1.2.3
//
// A program that was built in another way does not know. (What the Go linker
// notes of its own accord would cost the daemon 16 KB to read.)
package version

// version is set by the linker: -X scache/scached/version.version=1.2.3.
var version = "unknown"

// String returns the version: a tag, or the last one with the number of commits
// since and the last of them, with "-dirty" for what is in no commit.
func String() string { return version }
