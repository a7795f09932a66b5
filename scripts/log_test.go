package scripts

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// [!] log [-d name] TEXT
// waits for a line with the text, after the one that the last log command
// found; with !, no line so far may have it.
func logCommand(ts *testscript.TestScript, neg bool, args []string) {
	c := &call{world: ts.Value(worldKey{}).(*world), ts: ts, args: args}
	d, err := c.daemon()
	ts.Check(err)
	if len(c.args) != 1 {
		ts.Check(usage("[!] log [-d name] text"))
	}
	text := unescape(c.args[0])
	if neg {
		if found := d.Log.Matching(text); len(found) > 0 {
			ts.Fatalf("logged: %s", found[0].Raw)
		}
		return
	}
	_, err = d.Log.WaitSince(d.logged, text, patience)
	ts.Check(err)
	for i, line := range d.Log.Since(d.logged) {
		if strings.Contains(line.Raw, text) {
			d.logged += i + 1
			return
		}
	}
}

// savelog [-d name] FILE
// writes what the daemon has logged so far to a file, without time and name.
func saveLog(c *call) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	if len(c.args) != 1 {
		return usage("savelog [-d name] file")
	}
	var b strings.Builder
	for _, text := range d.Log.Texts() {
		b.WriteString(text + "\n")
	}
	return os.WriteFile(c.ts.MkAbs(c.args[0]), []byte(b.String()), 0o666)
}
