// Command probe is a daemon without a service, for the tests of package daemon:
// it starts like one, does what its left-over arguments say, and shows the
// result on standard output.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"scache/scached/daemon"
)

// threads is how many calls this program can be blocked in.
const threads = 8

func main() {
	p := daemon.Start(os.Args, daemon.Service{Solitary: true, Local: true, Threads: threads})
	for _, action := range p.Args {
		name, arg, _ := strings.Cut(action, "=")
		switch name {
		case "params":
			fmt.Printf("%+v\n", p.Params)
		case "process":
			fmt.Printf("%s %s %d %d %v %t\n", p.Program, p.Service, p.Verbose, p.Status.Generation, p.Listen, p.Stream)
		case "info":
			p.Log.Info(arg)
		case "notify":
			fmt.Println(p.Status.Notify(daemon.StateTaken), p.Status.Notify(daemon.StateAvailable))
		case "regain":
			fmt.Println(syscall.Setuid(0), syscall.Seteuid(0), syscall.Setgid(0), syscall.Setgroups([]int{0}))
		case "cwd":
			dir, err := os.Getwd()
			fmt.Println(dir, err)
		case "block":
			fmt.Println("blocked", block())
		case "wait": // until standard input ends
			fmt.Println("waiting")
			os.Stdin.Read(make([]byte, 1))
		default:
			fmt.Fprintln(os.Stderr, "usage: probe [options] [params] [process] [info=TEXT] [notify] [regain] [cwd] [block] [wait]")
			os.Exit(2)
		}
	}
}

// block does what can need threads, all at once: as many calls as there may be that
// block, on threads of their own, a wait for signals, the watchdog, and work for
// the garbage collector on every processor.
func block() int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	defer daemon.NewWatchdog(time.Hour, func() {}).Stop()
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	var blocked sync.WaitGroup
	for range threads {
		blocked.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			syscall.Read(pipe[0], make([]byte, 1))
		})
	}
	var garbage sync.WaitGroup
	for range 4 {
		garbage.Go(func() {
			kept := make([][]byte, 100)
			for i := range 20000 {
				kept[i%len(kept)] = make([]byte, 4096)
			}
			runtime.GC()
		})
	}
	garbage.Wait()
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	<-signals
	syscall.Write(pipe[1], make([]byte, threads))
	blocked.Wait()
	return threads
}
