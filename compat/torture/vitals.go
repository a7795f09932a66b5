package torture

import (
	"time"

	"scache/compat/master"
)

// vitals are what a daemon has of what the system gives.
type vitals struct {
	descriptors int
	memory      int64 // resident, in bytes
}

func measure(d *master.Daemon) (v vitals, err error) {
	links, err := d.Descriptors()
	if err != nil {
		return v, err
	}
	v.descriptors = len(links)
	v.memory, err = master.ResidentBytes(d.PID())
	return v, err
}

// settle measures a daemon that nobody is connected to and that caches no
// session, once it has closed what it does not need.
func settle(d *master.Daemon) (vitals, error) {
	const still = 150 * time.Millisecond
	last, err := measure(d)
	since := time.Now()
	for deadline := since.Add(defaultSettle); err == nil && time.Since(since) < still && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
		var now vitals
		if now, err = measure(d); now.descriptors != last.descriptors {
			since = time.Now()
		}
		last = now
	}
	return last, err
}

// settleTo measures a daemon as soon as it has no more than so many descriptors,
// which must not take longer than timeout.
func settleTo(d *master.Daemon, descriptors int, timeout time.Duration) (v vitals, err error) {
	eventually(timeout, func() bool {
		v, err = measure(d)
		return err != nil || v.descriptors <= descriptors
	})
	return v, err
}
