package diff

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"scache/compat"
)

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

// build builds the daemon as the Makefile does.
func build(path string, flags ...string) (string, error) {
	args := append(append([]string{"build"}, flags...), "-o", path, "scache/cmd/scached")
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

var buildScached = sync.OnceValues(func() (string, error) { return build(filepath.Join(buildDir, "scached")) })

func ours(t *testing.T) string {
	t.Helper()
	needRoot(t)
	path, err := buildScached()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func reference(t *testing.T) string {
	t.Helper()
	needRoot(t)
	path, err := compat.ReferenceProgram()
	if errors.Is(err, compat.ErrNoPostfix) {
		skipLocally(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skipLocally(t, "not root: cannot do what master(8) does")
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
