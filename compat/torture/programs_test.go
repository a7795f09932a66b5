package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"scache/compat"
)

var buildDir string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "scbuild")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	buildDir = dir
	return m.Run()
}

// buildScached builds the daemon once, as the Makefile does.
var buildScached = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "scached")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "scache/cmd/scached")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func ours(t testing.TB) string {
	t.Helper()
	needRoot(t)
	path, err := buildScached()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func reference(t testing.TB) string {
	t.Helper()
	needRoot(t)
	path, err := compat.ReferenceProgram()
	if err != nil {
		skipLocally(t, err.Error())
	}
	return path
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		skipLocally(t, "not root: cannot do what master(8) does")
	}
}

// skipLocally skips the test, but fails it where everything has to run.
func skipLocally(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI: %s", why)
	}
	t.Skipf("NOT TESTED: %s", why)
}
