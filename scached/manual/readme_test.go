package manual

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "put the table of parameters into the README")

// The README has the table as it is written here.
func TestReadme(t *testing.T) {
	const path = "../../README.md"
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := Table(&table); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(table.String(), "\n")
	before, rest, found := strings.Cut(string(readme), head+"\n")
	if !found {
		t.Fatalf("the README has no table %q", head)
	}
	got, after, _ := strings.Cut(rest, "\n\n")
	got = head + "\n" + got + "\n"
	if got == table.String() {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+table.String()+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("\"go test ./scached/manual -update\" puts the table right (-README +declarations):\n%s", cmp.Diff(got, table.String()))
}
