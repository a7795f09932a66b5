package mail

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/compat/testbed"
)

// In the jail or not, with a log file or a syslog socket: the daemon has no
// privileges left, and its statistics reach the log.
func TestPrivileges(t *testing.T) {
	for _, jailed := range []bool{true, false} {
		for _, syslog := range []bool{false, true} {
			t.Run(fmt.Sprintf("chroot=%t,syslog=%t", jailed, syslog), func(t *testing.T) {
				t.Parallel()
				if syslog {
					needMounts(t)
				}
				want := privilegesOf(t, "", jailed, syslog)
				got := privilegesOf(t, testbed.Scached(t), jailed, syslog)
				// What the reference has is the least that is asked for.
				if diff := cmp.Diff([]any{want.UID, want.GID, want.Groups}, []any{got.UID, got.GID, got.Groups}); diff != "" {
					t.Errorf("user and groups (-reference +ours):\n%s", diff)
				}
				if got.CapInh|got.CapPrm|got.CapEff|got.CapAmb != 0 {
					t.Errorf("capabilities left: %+v", got)
				}
				if !got.NoNewPrivs {
					t.Error("the daemon could gain privileges by executing something")
				}
			})
		}
	}
}

// privilegesOf runs mail through an instance and returns the privileges that
// its cache daemon had then.
func privilegesOf(t *testing.T, program string, jailed, syslog bool) (creds master.Credentials) {
	t.Helper()
	s := scenario{delivery: func(t *testing.T) Delivery {
		return Delivery{
			Postfix: postfix.Options{NoChroot: !jailed, Syslog: syslog, Main: byDestination},
			Mail:    Injection{Messages: 20, Senders: 2},
			After: func(ctx context.Context, p *postfix.Instance, sink *Sink) error {
				pid, err := p.WaitCache(0, patience)
				if err != nil {
					return err
				}
				if creds, err = master.ProcessCredentials(pid); err != nil {
					return err
				}
				root, err := master.ProcessRoot(pid)
				if err != nil {
					return err
				}
				want := "/"
				if jailed {
					want = p.QueueDir()
				}
				if root != want {
					t.Errorf("root directory %s, want %s", root, want)
				}
				return Statistics(ctx, p, sink)
			},
		}
	}}
	s.run(t, program)
	if owner := creds.UID[0]; owner == 0 || creds.UID != [4]int{owner, owner, owner, owner} {
		t.Errorf("user ids %v", creds.UID)
	}
	if group := creds.GID[0]; group == 0 || creds.GID != [4]int{group, group, group, group} {
		t.Errorf("group ids %v", creds.GID)
	}
	return creds
}
