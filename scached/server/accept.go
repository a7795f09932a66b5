package server

import (
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/strerror"
)

const (
	// acceptTime is how much of a turn may be spent on new clients, at least one
	// of them.
	acceptTime = 500 * time.Microsecond
	// shortPause is for how long new clients have to wait at most when too much is
	// still to be closed, and longPause for how long when none can be accepted. To
	// try all the time would keep a processor busy.
	shortPause = 5 * time.Millisecond
	longPause  = 100 * time.Millisecond
)

// accept takes clients from a listening socket.
func (s *Server) accept(listen int) {
	for start := s.now; ; {
		if s.full() {
			s.pauseListening(shortPause)
			s.awaitsRoom = true
			return
		}
		fd, err := s.kernel.Accept(listen)
		if err == unix.EMFILE || err == unix.ENFILE || err == unix.ENOBUFS || err == unix.ENOMEM {
			// The system is short of descriptors, or somebody else took ours.
			s.giveUpDescriptor(nil)
			fd, err = s.kernel.Accept(listen)
		}
		if err != 0 {
			s.acceptFailed(err)
			return
		}
		if s.config.MaxClients > 0 && s.count >= s.config.MaxClients {
			s.dropClient(nil, clientLimit)
		}
		if s.used()-s.closing() >= s.capacity {
			s.giveUpDescriptor(nil)
		}
		s.connect(fd)
		if s.kernel.Now().Sub(start) >= acceptTime {
			return // the rest in the next turn, which is at once
		}
	}
}

// full tells that there is no room for another client before something has been
// closed, which will be soon.
func (s *Server) full() bool {
	used := s.used()
	return used > s.capacity/2 && s.descriptors.crowded() || used >= s.capacity+s.spare()/2 && s.descriptors.moving()
}

// acceptsAgain tells that a pause is over.
func (s *Server) acceptsAgain() bool {
	return !s.acceptAgain.IsZero() && s.ending.IsZero() && (!s.now.Before(s.acceptAgain) || s.awaitsRoom && !s.full())
}

func (s *Server) acceptFailed(err unix.Errno) {
	switch err {
	case unix.EAGAIN, unix.EINTR, unix.ECONNABORTED: // it went away, or somebody else has it
	default:
		s.pressure.failed("accept connection: " + strerror.Of(err))
		s.pauseListening(longPause)
	}
}

// listenEvents are those of a listening socket.
const listenEvents = unix.EPOLLIN | unix.EPOLLRDHUP

// listeningEnded tells from an event that somebody has shut a listening socket
// down, which cannot be undone. Epoll would say so in each turn.
func listeningEnded(events uint32) bool {
	return events&(unix.EPOLLHUP|unix.EPOLLRDHUP|unix.EPOLLERR) != 0
}

// pauseListening accepts no clients for a while.
func (s *Server) pauseListening(d time.Duration) {
	s.listen(false)
	s.acceptAgain, s.awaitsRoom = s.now.Add(d), false
}

// listen makes the loop wait for new clients, or not.
func (s *Server) listen(on bool) {
	events := uint32(0)
	if on {
		events = listenEvents
	}
	for _, fd := range s.config.Listen {
		s.kernel.Watch(unix.EPOLL_CTL_MOD, fd, events, aboutListen)
	}
}
