// Command toy is the daemon in the comment of package daemon: it greets its
// clients, and tells them its process number and its root directory.
package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"scache/scached/daemon"
)

func main() {
	var greeting string
	p := daemon.Start(os.Args, daemon.Service{File: "toy.cf", Parameters: []daemon.Parameter{
		{Name: "toy_greeting", Default: "hello", Target: &greeting, Help: "what clients are told"},
	}})
	ready := []unix.PollFd{{Fd: int32(p.Listen[0]), Events: unix.POLLIN}, {Fd: int32(p.Status.FD)}}
	for {
		n, err := unix.Poll(ready, int(p.Params.MaxIdle.Milliseconds()))
		if n == 0 || ready[1].Revents != 0 {
			break // idle for too long, or master(8) is gone
		} else if err == nil {
			p.Burst(false)
			serve(p.Listen[0], greeting)
			p.Burst(true)
		}
	}
	p.Log.Info("good bye")
}

func serve(listen int, greeting string) {
	fd, _, err := unix.Accept(listen)
	if err != nil {
		return // another process was faster
	}
	defer unix.Close(fd)
	_, err = os.Stat("/etc/passwd")
	unix.Write(fd, fmt.Appendf(nil, "%s %d %t\n", greeting, os.Getpid(), err == nil))
}
