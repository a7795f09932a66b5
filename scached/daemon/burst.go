package daemon

import (
	"fmt"

	"golang.org/x/sys/unix"

	"scache/scached/strerror"
)

// Burst notes that a burst of requests begins, or with available that it is
// over. The reference reports each one to master(8), with two records.
// With a process limit of 1 master(8) makes one use of them: a process that
// was never seen to become available again is not worth starting anew at once
// when it ends badly (src/master/master_spawn.c). So it is told of the first
// burst of a solitary process, and of all of them only when the log shows it too.
func (p *Process) Burst(available bool) {
	if !available && len(p.Args) > 0 {
		p.Log.Fatal("unexpected command-line argument: " + p.Args[0])
	}
	if p.solitary && p.reported && p.Verbose == 0 {
		return
	}
	state := StateTaken
	if available {
		state = StateAvailable
	}
	err := p.Status.Notify(state)
	p.reported = p.reported || available && err == nil
	if p.Verbose == 0 {
		return
	}
	text := fmt.Sprintf("master_notify: status %d", state)
	if err != nil && err != unix.EAGAIN {
		text += ": " + strerror.Of(err)
	}
	p.Log.Info(text)
}
