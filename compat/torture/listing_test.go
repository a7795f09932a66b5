package torture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"scache/compat/master"
	"scache/compat/testbed"
	"scache/compat/wire"
	"scache/scached/control"
)

// An administrator who lists 20,000 sessions over and over, while others come and
// go, sees every one that stays exactly once, and holds up nobody. What others
// wait is compared with what they wait at a daemon beside, which nobody asks; other
// programs that want a processor make both wait, and now and then only one, which is
// why there is more than one try.
func TestListing(t *testing.T) {
	const stay, tries, cycles = 19_000, 8, 3000
	programs := testbed.Programs(t)
	testbed.NeedRoot(t)
	var daemons [2]*master.Daemon
	for i := range daemons {
		d, err := master.Start(t.Context(), master.Options{Program: filepath.Join(programs, "scached"),
			MainCF: "connection_cache_ttl_limit = 300s\nscached_endpoint_session_limit = 20000\n"})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		saveMany(t, d.Socket(), stay)
		daemons[i] = d
	}
	listed := daemons[0].Socket()
	good := beside{attacked: newGoodClient(listed, "good"), spared: newGoodClient(daemons[1].Socket(), "good")}
	defer good.attacked.close()
	defer good.spared.close()
	if err := good.warmUp(); err != nil {
		t.Fatal(err)
	}
	listing := &lister{program: filepath.Join(programs, "scachectl"), socket: listed, dir: t.TempDir()}
	for try := 1; ; try++ {
		stop := listing.start(t)
		good.attacked.took, good.spared.took = nil, nil
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := good.watch(ctx, cycles, false)
		cancel()
		stop()
		if err := errors.Join(err, good.err); err != nil {
			t.Fatal(err)
		}
		figure := func(hundredths int) (beside, alone time.Duration) {
			return percentile(good.attacked.took, hundredths), percentile(good.spared.took, hundredths)
		}
		half, halfAlone := figure(50)
		most, mostAlone := figure(99)
		longest, longestAlone := figure(100)
		t.Logf("%d good cycles beside listings: p50 %v, p99 %v, longest %v; without: %v, %v, %v; %d whole listings",
			len(good.attacked.took), half, most, longest, halfAlone, mostAlone, longestAlone, len(listing.files))
		if 2*most <= 3*mostAlone && longest <= longestAlone+5*time.Millisecond {
			break
		}
		if try == tries {
			t.Error("p99 of good cycles is more than 1.5 times what it is without listings, or somebody waited 5 ms longer")
			break
		}
	}
	if len(listing.files) == 0 {
		t.Error("no listing came to an end")
	}
	for _, file := range listing.files {
		checkListing(t, file, stay)
	}
	flushed, _, err := (&control.Client{Path: listed}).Flush(t.Context(), control.Filter{Transport: "stays"})
	if err != nil || flushed != stay {
		t.Errorf("flushed %d of %d: %v", flushed, stay, err)
	}
}

// saveMany saves sessions that stay, each of an endpoint of its own.
func saveMany(t *testing.T, socket string, sessions int) {
	t.Helper()
	saver, err := wire.DialGreeted(socket, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer saver.Close()
	s, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range sessions {
		if err := saver.Save(fmt.Sprintf("stays\n%d\n", i), "300", s.Local); err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
	}
}

// A lister is an administrator who lists all sessions, over and over.
type lister struct {
	program, socket, dir string
	files                []string // of whole listings
}

// start begins to list, until stop is called.
func (l *lister) start(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			if err := l.list(ctx); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("list: %v", err)
		}
	}
}

func (l *lister) list(ctx context.Context) error {
	file, err := os.Create(filepath.Join(l.dir, strconv.Itoa(len(l.files))))
	if err != nil {
		return err
	}
	defer file.Close()
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, l.program, "list", "--json", "--socket", l.socket)
	cmd.Stdout, cmd.Stderr = file, &complaints
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, &complaints)
	}
	l.files = append(l.files, file.Name())
	return nil
}

// checkListing looks whether sessions that stay were listed once.
func checkListing(t *testing.T, name string, stay int) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	seen := make([]int, stay)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var session struct{ Label string }
		if err := json.Unmarshal(lines.Bytes(), &session); err != nil {
			t.Fatal(err)
		}
		if number, ok := strings.CutPrefix(session.Label, "stays\n"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(number, "\n"))
			if err != nil || n >= stay {
				t.Fatalf("listed %q", session.Label)
			}
			seen[n]++
		}
	}
	for n, times := range seen {
		if times != 1 {
			t.Fatalf("session %d was listed %d times", n, times)
		}
	}
}
