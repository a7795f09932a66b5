package scripts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"scache/compat/master"
	"scache/compat/wire"
)

// patience is how long anything may take to happen.
const patience = 20 * time.Second

// A world is what one scenario has made so far.
type world struct {
	t        testscript.T
	programs string // directory of scached and scachectl
	races    string // what the names of scachectl's reports of races begin with

	daemons  map[string]*daemon
	latest   *daemon // that was started
	clients  map[string]*wire.Client
	sessions map[string]*wire.Session
}

type daemon struct {
	*master.Daemon
	logged      int // lines that "log" has gone past
	descriptors int // when "descriptors" was used first
}

type worldKey struct{}

func newWorld(env *testscript.Env, programs string) error {
	w := &world{
		t: env.T(), programs: programs, races: filepath.Join(env.WorkDir, ".race"),
		daemons: make(map[string]*daemon), clients: make(map[string]*wire.Client), sessions: make(map[string]*wire.Session),
	}
	env.Values[worldKey{}] = w
	env.Setenv("PATH", programs+":"+env.Getenv("PATH"))
	env.Setenv("GORACE", "log_path="+w.races)
	env.Defer(w.end)
	return nil
}

func (w *world) end() {
	for _, c := range w.clients {
		c.Close()
	}
	for _, s := range w.sessions {
		s.Close()
	}
	for _, d := range w.daemons {
		d.Close()
	}
	w.checkRaces()
}

// checkRaces fails the scenario for a race, which a daemon tells on standard
// error, and so in its log.
func (w *world) checkRaces() {
	reports, _ := filepath.Glob(w.races + "*")
	for _, file := range reports {
		text, err := os.ReadFile(file)
		if err != nil {
			text = []byte(err.Error())
		}
		w.t.Log("a race in scachectl:\n" + string(text))
	}
	found := len(reports)
	for _, d := range w.daemons {
		if len(d.Log.Matching("WARNING: DATA RACE")) > 0 {
			w.t.Log("a race in scached:\n" + d.Log.Tail(0, 200))
			found++
		}
	}
	if found > 0 {
		w.t.FailNow()
	}
}

// A call is a command of a scenario that is being carried out.
type call struct {
	*world
	ts   *testscript.TestScript
	args []string
}

// command makes a command of a function. What the function returns ends the
// scenario.
func command(run func(*call) error) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("! does not go with this command")
		}
		c := &call{world: ts.Value(worldKey{}).(*world), ts: ts, args: args}
		ts.Check(run(c))
	}
}

// usage is the error of a command with the wrong words.
func usage(text string) error { return errors.New("usage: " + text) }

// daemon takes an optional "-d NAME" from the front of the words.
func (c *call) daemon() (*daemon, error) {
	if len(c.args) > 1 && c.args[0] == "-d" {
		d, ok := c.daemons[c.args[1]]
		if !ok {
			return nil, fmt.Errorf("no daemon %s", c.args[1])
		}
		c.args = c.args[2:]
		return d, nil
	}
	if c.latest == nil {
		return nil, errors.New("no daemon was started")
	}
	return c.latest, nil
}

// waitUntil tells whether a condition comes true in time.
func waitUntil(condition func() bool) bool {
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if condition() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

var escapes = strings.NewReplacer(`\\`, `\`, `\0`, "\x00", `\n`, "\n", `\r`, "\r", `\t`, "\t")

// unescape makes bytes of what a scenario calls them.
func unescape(text string) string { return escapes.Replace(text) }
