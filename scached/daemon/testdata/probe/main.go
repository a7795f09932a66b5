// Command probe is a daemon without a service, for the tests of package daemon:
// it starts like one, does what its left-over arguments say, and shows the
// result on standard output.
package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"scache/scached/daemon"
)

func main() {
	p := daemon.Start(os.Args, daemon.Service{Solitary: true, Local: true})
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
		case "wait": // until standard input ends
			fmt.Println("waiting")
			os.Stdin.Read(make([]byte, 1))
		default:
			fmt.Fprintln(os.Stderr, "usage: probe [options] [params] [process] [info=TEXT] [notify] [regain] [cwd] [wait]")
			os.Exit(2)
		}
	}
}
