package daemon

import (
	"runtime"
	"sync"
)

// The Go runtime starts a thread whenever all that it has are blocked, and ends
// the process when it cannot, which is when others have used up the user's limit
// on processes (RLIMIT_NPROC). It never ends a thread. So all that can be needed
// are started at once, while the process is still root's, whom no limit applies
// to: for each processor that Go code runs on, for each call of this package that
// can block (a signal that is waited for, a log service, standard error), one more
// for a goroutine that comes out of a call while another takes its place, and
// those of the service.
const (
	processors = 2 // the event loop, and the garbage collector beside it
	blocked    = 3
	spare      = 1
)

// reserveThreads starts the threads that a service needs which can be blocked in
// so many system calls at a time.
func reserveThreads(service int) {
	// A number that was set does not follow the machine.
	runtime.GOMAXPROCS(min(processors, runtime.NumCPU()))
	n := processors + blocked + spare + service
	var started, ended sync.WaitGroup
	started.Add(n)
	release := make(chan struct{})
	for range n {
		ended.Go(func() {
			runtime.LockOSThread() // to have a thread for itself
			started.Done()
			<-release
			runtime.UnlockOSThread()
		})
	}
	started.Wait()
	close(release)
	ended.Wait() // until then they are not free
}
