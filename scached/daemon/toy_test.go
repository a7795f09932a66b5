package daemon_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scache/compat/postfix"
	"scache/compat/testbed"
)

// Another service than the connection cache stands on this package as well: the
// program of the package comment, under a real master(8).
func TestToyService(t *testing.T) {
	testbed.NeedRoot(t)
	toy := filepath.Join(t.TempDir(), "toy")
	build := exec.Command("go", "build", "-o", toy, "./testdata/toy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	instance, err := postfix.Start(t.Context(), postfix.Options{
		Cache:  toy, // as the program of that service, too, it comes to where master(8) looks
		Main:   []string{"toy_greeting = from main.cf"},
		Master: []string{"toy unix - - y - 2 toy -v", "toy-o unix - - n - 1 toy -o toy_greeting=$process_name,$service_name", "toy-bad unix - - n - 1 toy -o max_idle=never"},
	})
	if err != nil {
		testbed.SkipLocally(t, err.Error())
	}
	defer instance.Close()

	check := func(service, greeting string, sees bool) (pid int) {
		t.Helper()
		answer := hear(t, filepath.Join(instance.QueueDir(), "private", service))
		var rest bool
		if _, err := fmt.Sscanf(strings.TrimPrefix(answer, greeting), " %d %t", &pid, &rest); err != nil || rest != sees {
			t.Errorf("%s said %q; want %q, and sees the system: %t", service, answer, greeting, sees)
		}
		return pid
	}
	first := check("toy", "from main.cf", false)
	check("toy-o", "toy,toy-o", true)

	if err := os.WriteFile(filepath.Join(instance.ConfigDir(), "toy.cf"), []byte("toy_greeting = from $mail_name\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := instance.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	logged := func(text string, from int) {
		t.Helper()
		for mark := 0; ; mark++ {
			line, err := instance.Log.WaitSince(mark, text, 20*time.Second)
			if err != nil {
				t.Fatalf("%v:\n%s", err, instance.Log.Tail(0, 30))
			}
			if from == 0 || line.PID == from {
				return
			}
		}
	}
	logged("good bye", first)
	if second := check("toy", "from Postfix", false); second == first {
		t.Errorf("process %d did not end", first)
	}
	dial(t, filepath.Join(instance.QueueDir(), "private", "toy-bad")).Close()
	logged("fatal: parameter max_idle: bad time value or unit: never", 0)
}

func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

func hear(t *testing.T, path string) string {
	t.Helper()
	conn := dial(t, path)
	defer conn.Close()
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
