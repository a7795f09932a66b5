// Package scripts runs the scenarios of this directory; README.md says how to
// write one.
package scripts

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	update    = flag.Bool("update", false, "rewrite what the scenarios compare with")
	reference = flag.Bool("reference", false, "run the scenarios with the reference's daemon, to see whether they are true")
)

// binaries holds scached and scachectl as the Makefile builds them.
var binaries string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "scbin"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(binaries)
	build := exec.Command("go", "build", "-o", binaries, "scache/cmd/scached", "scache/cmd/scachectl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build.Args, err, out)
		return 1
	}
	os.Setenv("PATH", binaries+":"+os.Getenv("PATH"))
	// The scenarios wait for seconds of the clock to pass, and hardly compute.
	flag.Set("test.parallel", "16")
	return m.Run()
}

func program(name string) string { return filepath.Join(binaries, name) }

func TestScripts(t *testing.T) {
	needRoot(t)
	testscript.Run(t, testscript.Params{
		Dir:                 ".",
		Setup:               newWorld,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"master":      command(startMaster),
			"signal":      command(signal),
			"hangup":      command(hangup),
			"exited":      command(exited),
			"log":         logCommand,
			"savelog":     command(saveLog),
			"descriptors": command(descriptors),
			"connect":     command(connect),
			"disconnect":  command(disconnect),
			"finish":      command(onClient(finish)),
			"send":        command(onClient(send)),
			"request":     command(onClient(request)),
			"expect":      command(onClient(expect)),
			"answer":      command(onClient(answer)),
			"closed":      command(onClient(closed)),
			"session":     command(newSession),
			"give":        command(give),
			"take":        command(take),
			"say":         command(say),
			"close":       command(closeSession),
			"gone":        command(gone),
		},
	})
}

// condition knows [reference]: where we differ on purpose, a scenario stops.
func condition(name string) (bool, error) {
	if name != "reference" {
		return false, fmt.Errorf("unknown condition %s", name)
	}
	return *reference, nil
}

// needRoot is for what only root can do: to start a daemon as master(8) does.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("CI: not root")
	}
	t.Skip("NOT TESTED: not root, cannot do what master(8) does")
}
