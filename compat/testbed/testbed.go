// Package testbed is what the tests of the proving ground have in common: the
// programs, built once for the tests of a package, and the rule for what cannot
// be tested somewhere ([NeedRoot], [SkipLocally]). A package whose tests call
// [Scached] or its like runs them with [Main]. It is for tests alone.
package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"scache/scached/install"
)

var buildDir string

// Main runs the tests of a package, removes what was built for them and ends the
// process.
func Main(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "scbuild")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // the daemon may not be root
		panic(err)
	}
	buildDir = dir
	return m.Run()
}

// Build builds our daemon into a file, as the Makefile does, with more flags of
// "go build" if there are any.
func Build(path string, flags ...string) error {
	return build(path, flags, "scache/cmd/scached")
}

// build needs cgo only for the race detector.
func build(output string, flags []string, packages ...string) error {
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", output}, flags...)
	cmd := exec.Command("go", append(args, packages...)...)
	cgo := "CGO_ENABLED=0"
	if slices.Contains(flags, "-race") {
		cgo = "CGO_ENABLED=1"
	}
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// buildOnce builds into a file or directory of the given name.
func buildOnce(name string, flags []string, packages ...string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		path := buildDir + "/" + name // may end with a slash
		return path, build(path, flags, packages...)
	})
}

var (
	race = []string{"-race"}

	scached      = buildOnce("scached", nil, "scache/cmd/scached")
	scachetap    = buildOnce("scachetap", nil, "scache/cmd/scachetap")
	racing       = buildOnce("scached.race", race, "scache/cmd/scached")
	programs     = buildOnce("bin/", nil, "scache/cmd/scached", "scache/cmd/scachectl", "scache/cmd/scachetap")
	racePrograms = buildOnce("bin.race/", race, "scache/cmd/scached", "scache/cmd/scachectl", "scache/cmd/scachetap")
)

// Scached is the path of our daemon, built once for the tests of a package.
func Scached(t testing.TB) string {
	t.Helper()
	return need(t, scached)
}

// Scachetap is the path of the tap, built once for the tests of a package.
func Scachetap(t testing.TB) string {
	t.Helper()
	return need(t, scachetap)
}

// Ours is Scached for tests that only root can run.
func Ours(t testing.TB) string {
	t.Helper()
	NeedRoot(t)
	return Scached(t)
}

// Reference is the path of the installed scache(8), for tests that only root can
// run.
func Reference(t testing.TB) string {
	t.Helper()
	NeedRoot(t)
	path, err := install.ReferenceProgram()
	if err != nil {
		SkipLocally(t, err.Error())
	}
	return path
}

// RaceDetector is the path of our daemon with a race detector in it, which
// keeps it from giving up all of its privileges.
func RaceDetector(t testing.TB) string {
	t.Helper()
	return need(t, racing)
}

// Programs is the path of a directory with scached, scachectl and scachetap as the
// Makefile builds them.
func Programs(t testing.TB) string {
	t.Helper()
	return need(t, programs)
}

// RacePrograms is the path of a directory with them as [RaceDetector] is.
func RacePrograms(t testing.TB) string {
	t.Helper()
	return need(t, racePrograms)
}

func need(t testing.TB, built func() (string, error)) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// NeedRoot skips a test that does what only root, and so master(8), can do.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		SkipLocally(t, "not root: cannot do what master(8) does")
	}
}

// SkipLocally skips a test, and says so, but fails it where everything has to
// run.
func SkipLocally(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI: %s", why)
	}
	t.Skipf("NOT TESTED: %s", why)
}

// EachProgram runs a test with the reference and with ours.
func EachProgram(t *testing.T, test func(t *testing.T, program string)) {
	t.Run("reference", func(t *testing.T) { test(t, Reference(t)) })
	t.Run("ours", func(t *testing.T) { test(t, Ours(t)) })
}
