// Package testbed is what the tests of compat and of the packages below it have
// in common: a daemon that is built once, and the rule for what cannot be tested
// somewhere. A package whose tests call [Scached] runs them with [Main].
package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
// "go build" if there are any. The race detector is what cgo is for.
func Build(path string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, "scache/cmd/scached")...)
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

func buildOnce(name string, flags ...string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		path := filepath.Join(buildDir, name)
		return path, Build(path, flags...)
	})
}

var (
	built    = buildOnce("scached")
	detector = buildOnce("scached.race", "-race")
)

// Scached is the path of our daemon, built once for the tests of a package.
func Scached(t testing.TB) string {
	t.Helper()
	return need(t, built)
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
	return need(t, detector)
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
