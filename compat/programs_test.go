package compat

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// buildScached builds the daemon once for all tests of this package, as the
// Makefile does.
var buildScached = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "scached")
	cmd := exec.Command("go", "build", "-o", path, "scache/cmd/scached")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New("go build: " + err.Error() + "\n" + string(out))
	}
	return path, nil
})

var buildDir string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "scbuild")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	buildDir = dir
	return m.Run()
}

func ours(t *testing.T) string {
	t.Helper()
	path, err := buildScached()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func reference(t *testing.T) string {
	t.Helper()
	needRoot(t)
	path, err := ReferenceProgram()
	if err != nil {
		skipLocally(t, err.Error())
	}
	return path
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skipLocally(t, "not root: cannot do what master(8) does")
	}
}

// needMounts is for what logs to a syslog socket.
func needMounts(t *testing.T) {
	t.Helper()
	needRoot(t)
	if !mayMount() {
		skipLocally(t, errNoMount.Error())
	}
}

// skipLocally skips the test, but fails it where everything has to run.
func skipLocally(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI: %s", why)
	}
	t.Skipf("NOT TESTED: %s", why)
}

// eachProgram runs a test with the reference and with ours.
func eachProgram(t *testing.T, test func(t *testing.T, program string)) {
	t.Run("reference", func(t *testing.T) { test(t, reference(t)) })
	t.Run("ours", func(t *testing.T) {
		needRoot(t)
		test(t, ours(t))
	})
}
