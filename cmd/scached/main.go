// Scached is a drop-in replacement for scache(8), the connection cache server
// of the Postfix mail system. It is started by master(8); see the README for
// how to put it into master.cf.
package main

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"scache/scached/daemon"
	"scache/scached/protocol"
	"scache/scached/server"
)

func main() {
	p := daemon.Start(os.Args)
	s, err := server.New(config(p))
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

func config(p *daemon.Process) server.Config {
	dialect, _ := protocol.FindDialect(p.Params.Protocol)
	watchdog := daemon.NewWatchdog(p.Params.DaemonTimeout, func() { p.Log.Fatal("watchdog timeout") })
	return server.Config{
		Name:     p.Service,
		Dialect:  dialect,
		TTLLimit: p.Params.TTLLimit,
		Verbose:  p.Verbose > 0,
		Log:      p.Log,
		Flooded:  p.Log.Flooded,

		Listen: p.Listen,
		Master: p.Status.FD,
		Notify: p.Burst,

		MaxIdle:    p.Params.MaxIdle,
		IPCTimeout: p.Params.IPCTimeout,
		Statistics: p.Params.StatisticsPeriod,

		Turn:     watchdog.Turn,
		MaxSleep: watchdog.Interval(),

		LiveCheck:              p.Params.LiveCheck,
		StringLimit:            p.Params.StringLimit,
		MaxSessions:            p.Params.SessionLimit,
		MaxEndpointSessions:    p.Params.EndpointSessionLimit,
		MaxBindings:            p.Params.BindingLimit,
		MaxDestinationBindings: p.Params.DestinationBindingLimit,
		MaxBytes:               p.Params.MemoryLimit,
		MaxClients:             p.Params.ClientLimit,
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
