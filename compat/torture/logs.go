package torture

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/wire"
)

// logAttacks take the log service away, while clients make the daemon log.
func logAttacks() []Attack {
	// The log goes to the postlog socket in the queue directory. There is none
	// before the attack makes one.
	postlog := master.Options{
		MainCF: "maillog_file = /tmp/maillog\nmaillog_file_prefixes = /tmp\n",
		Env:    []string{"POSTLOG_SERVICE=public/postlog", "POSTLOG_HOSTNAME=host.example.test"},
	}
	return []Attack{
		{Name: "standard error that nobody reads", Options: master.Options{NoRead: true}, OwnLog: true, Strike: stuckStderr},
		{Name: "garbage while descriptors are short", Greedy: true, GivesUp: true, Strike: garbageWhileShort, Settle: 12 * time.Second,
			Options: master.Options{NoFile: 64, MainCF: "connection_cache_ttl_limit = 4s\n"}, After: saysWhy},
		{Name: "a log service that is stuck", Hurts: true, Options: postlog, OwnLog: true, Strike: stuckLog},
		{Name: "a log service that goes and comes back", Options: postlog, OwnLog: true, Strike: goneLog},
	}
}

// A logService takes the lines of the daemon, or does not.
type logService struct {
	fd   int // owned
	path string
}

func (a *Arena) logService() (*logService, error) {
	s := &logService{path: filepath.Join(a.Daemon.QueueDir(), "public/postlog")}
	var err error
	if s.fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
		return nil, err
	}
	if err = unix.Bind(s.fd, &unix.SockaddrUnix{Name: s.path}); err == nil {
		err = os.Chmod(s.path, 0o666)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("log service: %w", err)
	}
	return s, nil
}

func (s *logService) close() {
	unix.Close(s.fd)
	os.Remove(s.path)
}

// lines are what there is to read.
func (s *logService) lines() (lines []string) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := unix.Read(s.fd, buffer)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return lines
		}
		lines = append(lines, string(buffer[:n]))
	}
}

// bogus makes the daemon log a line a request.
func (a *Arena) bogus(c *wire.Client, n int) error {
	for range n {
		if err := c.Ask(wire.List("request", "bogus"), wire.Bad); err != nil {
			return err
		}
	}
	return nil
}

func stuckLog(a *Arena) error {
	s, err := a.logService()
	if err != nil {
		return err
	}
	defer s.close()
	c, err := a.greeted()
	if err != nil {
		return err
	}
	// More than any socket holds.
	if err := a.bogus(c, 2000); err != nil {
		return err
	}
	// Once somebody reads, the daemon says what was lost with the next line that
	// it may write.
	return a.saysLost(s, c)
}

func (a *Arena) saysLost(s *logService, c *wire.Client) (err error) {
	lost := ""
	if !eventually(patience, func() bool {
		if err = a.bogus(c, 1); err != nil {
			return true
		}
		for _, line := range s.lines() {
			if _, text, ok := strings.Cut(line, "log lines lost: "); ok {
				lost = strings.TrimSpace(text)
			}
		}
		return lost != ""
	}) {
		return errors.New("the log does not say what was lost")
	}
	if err != nil {
		return err
	}
	a.remark("%s lines lost", lost)
	return nil
}

func goneLog(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	if err := a.bogus(c, 200); err != nil {
		return err
	}
	for range 3 {
		s, err := a.logService()
		if err != nil {
			return err
		}
		if err := a.bogus(c, 20); err != nil {
			return err
		}
		came := len(s.lines())
		s.close()
		if came == 0 {
			return errors.New("no line reached a log service that has come back")
		}
		if err := a.bogus(c, 20); err != nil {
			return err
		}
		pause(a.ctx, 50*time.Millisecond)
	}
	return nil
}

// stuckStderr makes the daemon log more than the pipe holds.
func stuckStderr(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	for range 3 {
		if err := a.bogus(c, 1000); err != nil {
			return err
		}
		pause(a.ctx, 100*time.Millisecond)
	}
	return nil
}

// garbageWhileShort has clients use up what may be logged about clients, and then
// the daemon short of descriptors.
func garbageWhileShort(a *Arena) error {
	c, err := a.greeted()
	if err != nil {
		return err
	}
	if err := a.bogus(c, 3000); err != nil { // more than may be logged at once
		return err
	}
	for i := range 100 {
		if err := a.bogus(c, 50); err != nil {
			return err
		}
		if err := saveAndForget(c, fmt.Sprint("short ", i), "4"); err != nil {
			return err
		}
	}
	return nil
}

// saysWhy looks whether the log tells of a shortage of descriptors.
func saysWhy(a *Arena) error { return saysSo("limit on open files reached: ")(a) }
