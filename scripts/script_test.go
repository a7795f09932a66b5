// Package scripts runs the scenarios of this directory; README.md says how to
// write one.
package scripts

import (
	"flag"
	"fmt"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"scache/compat/testbed"
)

var (
	update    = flag.Bool("update", false, "rewrite what the scenarios compare with")
	reference = flag.Bool("reference", false, "run the scenarios with the reference's daemon, to see whether they are true")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The scenarios wait for seconds of the clock to pass, and hardly compute.
	flag.Set("test.parallel", "16")
	testbed.Main(m)
}

func TestScripts(t *testing.T) {
	testbed.NeedRoot(t)
	runScripts(t, testscript.Params{UpdateScripts: *update}, testbed.Programs(t), false)
}

// TestRaces runs the scenarios with the race detector in both programs. Such a
// daemon cannot give up everything that belongs to each of its threads; where
// that matters, a scenario has the condition [race].
func TestRaces(t *testing.T) {
	testbed.NeedRoot(t)
	if *reference || *update {
		t.Skip("not with -reference or -update, which are about something else")
	}
	runScripts(t, testscript.Params{}, testbed.RacePrograms(t), true)
}

// runScripts runs the scenarios with the programs in a directory.
func runScripts(t *testing.T, p testscript.Params, programs string, race bool) {
	p.Dir = "."
	p.Setup = func(env *testscript.Env) error { return newWorld(env, programs) }
	p.Condition = func(name string) (bool, error) { return condition(name, race) }
	p.RequireExplicitExec, p.RequireUniqueNames = true, true
	p.Cmds = commands
	testscript.Run(t, p)
}

var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"master":      command(startMaster),
	"signal":      command(signal),
	"hangup":      command(hangup),
	"exited":      command(exited),
	"log":         logCommand,
	"savelog":     command(saveLog),
	"descriptors": command(descriptors),
	"connect":     command(connect),
	"disconnect":  command(disconnect),
	"shutdown":    command(onClient(shutdown)),
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
}

// condition knows [reference], where we differ on purpose, and [race].
func condition(name string, race bool) (bool, error) {
	switch name {
	case "reference":
		return *reference, nil
	case "race":
		return race, nil
	}
	return false, fmt.Errorf("unknown condition %s", name)
}
