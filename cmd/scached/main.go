// Scached is a drop-in replacement for scache(8), the connection cache server
// of the Postfix mail system. It is started by master(8); see the README for
// how to put it into master.cf.
package main

import (
	"os"
	"os/signal"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"scache/scached/daemon"
	"scache/scached/server"
	"scache/scached/settings"
	"scache/scached/version"
)

func main() {
	var set settings.Settings
	service := set.Service()
	service.Threads = server.Threads
	p := daemon.Start(os.Args, service)
	if p.Verbose > 0 {
		p.Log.Info("scached " + version.String() + ", dialect " + set.Protocol)
	}
	// The runtime's limit is that of its own memory; the program takes some more.
	debug.SetMemoryLimit(set.Resident() - 6<<20)
	s, err := server.New(config(p, &set))
	if err == nil && p.Stream {
		err = s.ServeStream(0, 1)
	} else if err == nil {
		watch(s)
		err = s.Run()
	}
	if err != nil {
		p.Log.Fatal(err.Error())
	}
	p.Log.LastLines()
	s.Report()
}

func config(p *daemon.Process, set *settings.Settings) server.Config {
	watchdog := daemon.NewWatchdog(p.Params.DaemonTimeout, func() { p.Log.Fatal("watchdog timeout") })
	clients := p.Log.ForClients(set.WarningLimit)
	return server.Config{
		Name:       p.Service,
		Dialect:    set.Dialect(),
		TTLLimit:   set.TTLLimit,
		Verbose:    p.Verbose > 0,
		Log:        p.Log,
		ClientLog:  clients,
		Flooded:    clients.Flooded,
		Suppressed: clients.Suppressed,

		Listen: p.Listen,
		Master: p.Status.FD,
		Notify: p.Burst,

		MaxIdle:    p.Params.MaxIdle,
		IPCTimeout: p.Params.IPCTimeout,
		Statistics: set.StatisticsPeriod,

		Turn:     watchdog.Turn,
		MaxSleep: watchdog.Interval(),

		LiveCheck:   set.LiveCheck,
		Control:     set.Control,
		Quit:        set.Quit,
		Version:     version.String(),
		NameSpaces:  set.NameSpaces(),
		StringLimit: set.StringLimit,
		Limits:      set.Limits,
		MaxClients:  set.ClientLimit,
	}
}

// watch makes signals end the server in an orderly way.
func watch(s *server.Server) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGHUP)
	go func() {
		<-signals
		s.Terminate()
	}()
}
