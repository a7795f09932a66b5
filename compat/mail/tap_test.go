package mail

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
	"scache/scached/install"
)

// tap puts the tap into an instance. Messages that are held are sent through it.
func tap(ctx context.Context, program string, p *postfix.Instance, change func(*install.TapOptions)) error {
	o := install.TapOptions{Options: install.Options{Daemon: program, ConfigDir: p.ConfigDir(), Out: io.Discard}}
	if change != nil {
		change(&o)
	}
	if err := install.TapInstall(o); err != nil {
		return err
	}
	return p.Reload(ctx)
}

// recordingOf is where the tap of an instance records.
func recordingOf(p *postfix.Instance) string {
	return filepath.Join(p.Dir(), "data", "scache.recording")
}

// TestTap sends mail through a Postfix with a tap, kills the tap in the middle, and
// takes it out: nothing is lost, sessions are reused, and the recording says nothing
// of names and addresses.
func TestTap(t *testing.T) {
	program := testbed.Scachetap(t)
	testbed.EachProgram(t, func(t *testing.T, cache string) {
		if filepath.Base(cache) == "scache" {
			cache = "" // as Postfix brings it
		}
		const messages = 150
		var text string
		d := Delivery{
			Postfix: postfix.Options{Cache: cache, Main: []string{"smtp_connection_cache_destinations = static:all"}},
			Mail:    Injection{Messages: messages, Senders: 3},
			Held:    messages - 1,
			During: func(ctx context.Context, p *postfix.Instance, _ *Sink) error {
				return tap(ctx, program, p, nil)
			},
			After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
				recording := recordingOf(p)
				master.WaitUntil(patience, func() bool {
					data, err := os.ReadFile(recording)
					text = string(data)
					return err == nil && strings.Count(text, `"recv_fds":`) > 10
				})
				for _, path := range []string{recording, recording + ".key"} {
					if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
						t.Errorf("%s: %v, %v", path, info, err)
					}
				}
				for _, word := range []string{"127.", "sender", sink.Addr().Addr().String()} {
					if strings.Contains(text, word) {
						t.Errorf("%q is in the recording", word)
					}
				}
				pid := tapProcess(p)
				if pid == 0 {
					return errors.New("no tap is there to be killed")
				}
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					return err
				}
				if err := Inject(ctx, p.SMTPD, Injection{First: messages, Messages: 20, Senders: 2}); err != nil {
					return err
				}
				if err := sink.Wait(messages+20, deliveryPatience); err != nil {
					return err
				}
				if told, err := install.TapRemove(install.Options{ConfigDir: p.ConfigDir(), Out: io.Discard}); err != nil || told != recording {
					t.Errorf("removed: %s, %v", told, err)
				}
				if err := p.Reload(ctx); err != nil {
					return err
				}
				if _, err := os.Lstat(p.CacheSocket() + "-tapped"); !os.IsNotExist(err) {
					t.Errorf("the socket of the service behind the tap is still there: %v", err)
				}
				return nil
			},
		}
		result, err := d.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Lost)+len(result.Duplicates) > 0 || result.Delivered != messages {
			t.Errorf("%d messages delivered; lost: %v", result.Delivered, result.Lost)
		}
		hits := strings.Count(text, `"recv_fds":`)
		t.Logf("%d connections, %d reused, %d sessions handed out in %d lines", result.Connections, result.Reused, hits, strings.Count(text, "\n"))
		if result.Reused < messages/2 || hits < messages/4 {
			t.Errorf("%d reused, %d recorded", result.Reused, hits)
		}
		if n := count(result.Lines, "problem talking to service"); n > 10 {
			t.Errorf("%d problems", n)
		}
	})
}

// tapProcess is the number of the process of an instance's tap, 0 for none.
func tapProcess(p *postfix.Instance) int {
	for _, process := range p.Processes() {
		if process.Name == "scachetap" {
			return process.PID
		}
	}
	return 0
}
