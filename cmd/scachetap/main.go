// Scachetap records what smtp(8) and a connection cache server, scached(8) or
// scache(8), say to each other. It is started by master(8) in the place of the
// server; "scachectl tap install" puts it there.
package main

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/daemon"
	"scache/scached/tap"
	"scache/scached/version"
)

func main() {
	var set tap.Settings
	p := daemon.Start(os.Args, set.Service())
	if p.Stream {
		return // a trial: the configuration is right
	}
	if p.Verbose > 0 {
		p.Log.Info("scachetap " + version.String())
	}
	if err := run(p, &set); err != nil {
		p.Log.Fatal(err.Error())
	}
	p.Log.LastLines()
}

func run(p *daemon.Process, set *tap.Settings) error {
	recorder := tap.OpenRecorder(tap.Options{
		Path: set.Recording, SizeLimit: set.SizeLimit, Files: set.Files, Plain: set.Plain,
		TTLLimit: int(set.TTLLimit / time.Second),
	}, p.Log)
	defer recorder.Close()
	watchdog := daemon.NewWatchdog(p.Params.DaemonTimeout, func() { p.Log.Fatal("watchdog timeout") })
	relay, err := tap.New(tap.Config{
		Server: set.Socket(), Recorder: recorder, Log: p.Log,
		Listen: p.Listen, Master: p.Status.FD, Notify: p.Burst,
		MaxIdle: p.Params.MaxIdle, Turn: watchdog.Turn, MaxSleep: watchdog.Interval(),
	})
	if err != nil {
		return err
	}
	defer relay.Close()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGHUP)
	go func() {
		<-signals
		relay.Terminate()
	}()
	return relay.Run()
}
