package server

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/cache"
	"scache/scached/protocol"
)

// Config is what a Server is made of. Its descriptors are borrowed.
type Config struct {
	Name     string // the service's name in master.cf
	Dialect  protocol.Dialect
	TTLLimit time.Duration // connection_cache_ttl_limit, whole seconds
	Verbose  bool
	Log      protocol.Logger // what the server says for itself
	// ClientLog is for what clients cause, which may be too much; nil for Log.
	ClientLog protocol.Logger
	Flooded   func() bool // see protocol.Config; nil for never
	// Suppressed, if set, is how many warnings about clients were left out.
	Suppressed func() uint64

	Listen []int // listening UNIX-domain stream sockets, non-blocking
	Master int   // becomes ready with an error when master(8) is gone; -1 for none
	// Notify is called when a burst of requests begins (false) and when it is
	// over (true).
	Notify func(available bool)

	MaxIdle    time.Duration // end when there was no client for so long
	IPCTimeout time.Duration // for one request
	Statistics time.Duration // log them so often, and at the end; 0 for never

	// Turn is called in each turn of the loop, which sleeps for at most
	// MaxSleep.
	Turn     func()
	MaxSleep time.Duration

	LiveCheck   bool // look at a session before it is handed out
	Control     bool // answer the requests of an administrator
	Quit        bool // say QUIT in sessions that nobody is to have any more
	NameSpaces  []protocol.NameSpace
	Version     string // of the program, for them
	StringLimit int    // bytes of a name or value
	Limits      cache.Limits
	MaxClients  int

	Kernel Kernel // nil for the one that there is; Close releases it
}

// What events are about, besides clients. The last two are known to linux only.
const (
	aboutListen int32 = -1 - iota
	aboutMaster
	aboutWake
	aboutTimer
)

const (
	// drainTime is how long a server that has to end waits for clients to take
	// the sessions that they were promised, and goodbyeTime how long after that it
	// answers what has come. Together that is less than a second, whatever clients
	// have sent.
	drainTime   = 500 * time.Millisecond
	goodbyeTime = 200 * time.Millisecond
	// lateTime is how much of a turn may be spent on clients that are over
	// ipc_timeout.
	lateTime = 200 * time.Microsecond
)

// A Server serves clients until it has to end.
type Server struct {
	config      Config
	service     *protocol.Service
	descriptors descriptors
	kernel      Kernel
	clock       clock
	now         time.Time
	buffer      [protocol.BufferSize]byte

	clients    []*client // by descriptor
	count      int
	idle, busy clientQueue
	free       *client
	sequence   int32
	capacity   int // descriptors of clients and sessions
	reserve    int // descriptors besides those
	pressure   pressure
	postponed  postponed
	quits      quits

	idleSince   time.Time // when the last client left
	reportDue   time.Time
	answered    []answered // clients of the snapshot's dialect
	acceptAgain time.Time  // when to accept clients again; zero while we do
	awaitsRoom  bool       // and sooner, as soon as there is room
	guardUntil  time.Time  // see guard
	terminated  atomic.Bool
	ending      time.Time // deadline for hand-overs, once the server has to end
}

// New makes a server. Close it to free what it holds.
func New(config Config) (*Server, error) {
	if err := config.Dialect.Check(); err != nil {
		return nil, err
	}
	kernel := config.Kernel
	if kernel == nil {
		system, err := openLinux()
		if err != nil {
			return nil, err
		}
		kernel = system
	}
	now := kernel.Now()
	s := &Server{config: config, kernel: kernel, now: now, clock: newClock(now, kernel.Wall(now)), idleSince: now}
	s.descriptors.kernel = kernel
	s.reportDue = now.Add(s.statisticsPeriod())
	seconds, _ := s.seconds()
	if config.ClientLog == nil {
		config.ClientLog = config.Log
	}
	settings := protocol.Config{
		Name: config.Name, Dialect: config.Dialect, TTLLimit: int(config.TTLLimit / time.Second),
		StringLimit: config.StringLimit, Verbose: config.Verbose, Log: config.ClientLog, Flooded: config.Flooded,
		Limits: config.Limits, Control: config.Control, NameSpaces: config.NameSpaces, About: s.about,
		Close: s.descriptors.close, Now: seconds,
	}
	if config.LiveCheck {
		settings.Live = s.descriptors.live
	}
	if config.Quit {
		settings.Quit = s.quit
	}
	s.service = protocol.NewService(settings, now)
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) open() (err error) {
	for _, fd := range s.config.Listen {
		if err = s.kernel.Watch(unix.EPOLL_CTL_ADD, fd, listenEvents, aboutListen); err != nil {
			return err
		}
	}
	if s.config.Master >= 0 {
		if err = s.kernel.Watch(unix.EPOLL_CTL_ADD, s.config.Master, 0, aboutMaster); err != nil {
			return err
		}
	}
	if s.capacity, s.reserve, err = capacity(s.kernel); err != nil {
		return fmt.Errorf("descriptor limit: %w", err)
	}
	return nil
}

// Close ends all connections and gives up all sessions.
func (s *Server) Close() {
	s.disconnectAll()
	s.service.Cache.Close()
	s.closeQuits()
	s.descriptors.sweep(len(s.descriptors.closing))
	s.kernel.Release()
}

func (s *Server) disconnectAll() {
	for s.idle.first != nil {
		s.disconnect(s.idle.first)
	}
	for s.busy.first != nil {
		s.disconnect(s.busy.first)
	}
}

// Terminate makes Run return soon, from any goroutine.
func (s *Server) Terminate() {
	if s.terminated.CompareAndSwap(false, true) {
		s.kernel.Wake()
	}
}

// Run serves clients until the server is idle for too long, master(8) is gone,
// or Terminate was called. Clients that were promised a session still get it,
// and nobody is left without an answer. Report is for afterwards. An error is
// one of epoll itself.
func (s *Server) Run() error {
	for s.ending.IsZero() || s.promised() && s.now.Before(s.ending) {
		if s.config.Turn != nil {
			s.config.Turn()
		}
		events, now, err := s.kernel.Wait(s.now, s.sleep())
		if err != nil {
			return err
		}
		s.now = now
		s.turn(events)
	}
	s.sayGoodbye()
	s.finishQuits()
	return nil
}

// turn does what is due, and what the events ask for.
func (s *Server) turn(events []unix.EpollEvent) {
	s.descriptors.enough = time.Time{}
	s.runTimers()
	for i := range events {
		s.dispatch(&events[i])
	}
	if s.terminated.Load() {
		s.end("termination signal -- exiting")
	}
	s.descriptors.sweep(0)
}

// Report logs what there is to say once Run has returned.
func (s *Server) Report() {
	s.sendAfterAnswers()
	s.notePressure()
	s.pressure.say(s.config.Log)
	s.logStatistics()
}

// statisticsPeriod is how long it is from one look at the statistics to the next.
func (s *Server) statisticsPeriod() time.Duration {
	if s.config.Statistics == 0 {
		return 24 * time.Hour // there is nothing to look at
	}
	return s.config.Statistics
}

func (s *Server) logStatistics() {
	if s.config.Statistics > 0 {
		s.service.ReportStatistics(s.now)
	}
}

func (s *Server) dispatch(event *unix.EpollEvent) {
	switch event.Pad {
	case aboutListen:
		if listeningEnded(event.Events) {
			s.kernel.Watch(unix.EPOLL_CTL_DEL, int(event.Fd), 0, 0)
			s.config.Log.Warning("the listening socket was shut down: ending, so that master(8) starts a new process")
			s.end("listening socket was shut down -- exiting")
		} else if s.ending.IsZero() {
			s.accept(int(event.Fd))
		}
	case aboutMaster:
		s.end("master disconnect -- exiting")
	default:
		if isQuit(event.Pad) {
			s.quitEnded(int(event.Fd), event.Pad)
		} else if c := s.clients[event.Fd]; c != nil && c.sequence == event.Pad && !c.postponed {
			s.serve(c)
			s.limitMemory(c)
		}
	}
}

// runTimers does what is due.
func (s *Server) runTimers() {
	seconds, _ := s.seconds()
	s.service.Cache.Expire(seconds)
	if !s.now.Before(s.reportDue) {
		s.logStatistics()
		s.reportDue = s.now.Add(s.statisticsPeriod())
	}
	for c := s.busy.first; c != nil && s.now.Sub(c.since) >= s.config.IPCTimeout; c = s.busy.first {
		s.disconnectLate(c)
		if s.kernel.Now().Sub(s.now) >= lateTime {
			break // the rest in the next turn, which is at once
		}
	}
	s.sendAfterAnswers()
	s.runQuits()
	s.notePressure()
	s.pressure.report(s.config.Log, s.now)
	if s.acceptsAgain() {
		s.acceptAgain = time.Time{}
		s.listen(true)
	}
	s.resume() // after new clients, who have waited for the same room
	if s.count == 0 && s.now.Sub(s.idleSince) >= s.config.MaxIdle {
		s.end("idle timeout -- exiting")
	}
}

// seconds is the time of this turn, and how long it is until the next second.
func (s *Server) seconds() (seconds int64, untilNext time.Duration) {
	return s.clock.read(s.now, s.kernel.Wall(s.now))
}

// sleep is how long the loop may wait for events.
func (s *Server) sleep() time.Duration {
	if len(s.descriptors.closing) > 0 {
		return 0
	}
	now := s.now
	until := s.reportDue.Sub(now)
	shorten := func(d time.Duration) { until = min(until, d) }
	if s.config.MaxSleep > 0 {
		shorten(s.config.MaxSleep)
	}
	if s.count == 0 {
		shorten(s.idleSince.Add(s.config.MaxIdle).Sub(now))
	}
	if c := s.busy.first; c != nil {
		shorten(c.since.Add(s.config.IPCTimeout).Sub(now))
	}
	if due, ok := s.service.Cache.Due(); ok {
		seconds, untilNext := s.seconds()
		shorten(untilNext + time.Duration(due-seconds-1)*time.Second)
	}
	if !s.acceptAgain.IsZero() {
		shorten(s.acceptAgain.Sub(now))
	}
	if len(s.postponed.clients) > 0 {
		shorten(s.postponed.due.Sub(now))
	}
	if len(s.answered) > 0 {
		shorten(s.answered[0].due.Sub(now))
	}
	if s.kernel.Closing() > 0 {
		shorten(hangTime)
	}
	if d, ok := s.quitSleep(); ok {
		shorten(d)
	}
	if s.pressure.pending() {
		shorten(s.pressure.due.Sub(now))
	}
	if !s.ending.IsZero() {
		shorten(s.ending.Sub(now))
	}
	return max(until, 0)
}
