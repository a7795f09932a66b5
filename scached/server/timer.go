package server

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A timer ends the loop's wait. A timeout of the wait itself would have to be
// set and cancelled for each request, which costs a virtual machine more than
// the request; a timer that rings too early is set again, and that is rare. It
// goes on while the machine sleeps, as sessions get older.
type timer struct {
	fd   int // owned
	next time.Time
}

func (t *timer) open() (err error) {
	if t.fd, err = unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return fmt.Errorf("timerfd_create: %w", err)
	}
	return nil
}

// set makes the timer ring after a while, or earlier.
func (t *timer) set(now time.Time, after time.Duration) error {
	due := now.Add(after)
	if !t.next.IsZero() && !due.Before(t.next) {
		return nil
	}
	t.next = due
	after = max(time.Until(due), 1) // none would stop the timer
	if err := unix.TimerfdSettime(t.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(after))}, nil); err != nil {
		return fmt.Errorf("timerfd_settime: %w", err)
	}
	return nil
}

// rang notes that the timer has to be set before the next wait, which also
// makes it fall silent.
func (t *timer) rang() { t.next = time.Time{} }
