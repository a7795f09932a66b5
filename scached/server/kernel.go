package server

import (
	"time"

	"golang.org/x/sys/unix"
)

// A Kernel is the system calls of the event loop, and the clock that goes with
// them: everything that a [Server] knows of the world outside. Config.Kernel is
// one for a Server that is to live in another world, in which each thing happens
// when it is told to.
//
// Methods are system calls and no policy. None waits for anybody, except Wait.
// All but Wake are called from the goroutine of Run alone. A method that is new
// takes and returns numbers, and slices of memory that the Server keeps: what is
// passed through an interface by address is allocated. What can be said with a
// method that exists needs no new one.
type Kernel interface {
	// Now is the time; the differences between two times are those of a clock that
	// is never set. Wall is what the wall clock said at a time that Now or Wait
	// returned, in nanoseconds since 1970.
	Now() time.Time
	Wall(at time.Time) int64

	// Watch is epoll_ctl(2): what events of a descriptor are of interest, and what
	// its events are to say in Pad. The error names the call.
	Watch(operation, fd int, events uint32, about int32) error
	// Wait returns the events that there are, until the next call, and the time. It
	// waits for one if there is none, from now on for as long as it is to sleep.
	// There may be none in the end, after a signal for example.
	Wait(now time.Time, sleep time.Duration) (events []unix.EpollEvent, after time.Time, err error)
	// Wake ends a Wait, or the next one. It is called from any goroutine.
	Wake()

	// Accept is accept4(2). The caller owns the descriptor, which is non-blocking
	// and close-on-exec.
	Accept(listen int) (fd int, err unix.Errno)
	// Receive is that of attrproto.Receiver, with its Truncated.
	Receive(sock int, p []byte) (n int, fds []int, truncated bool, err error)
	// Front is recvmsg(2) that leaves everything where it is (MSG_PEEK): how many bytes
	// a Receive would bring, which it copies into p, and whether descriptors would come
	// with them. A Receive of so many brings those and none that come later.
	Front(sock int, p []byte) (n int, carries bool, err unix.Errno)
	// Write is send(2) without waiting, and without a signal.
	Write(sock int, p []byte) (n int, err unix.Errno)
	// SendDescriptor is that of attrproto; it borrows both.
	SendDescriptor(sock, fd int) error
	// Shutdown is shutdown(2). There is nothing to be done about an error.
	Shutdown(sock, how int)

	// GetOption is getsockopt(2) into value, of which it tells how much is used.
	GetOption(fd, level, name int, value []byte) (n int, err unix.Errno)
	// SetOption is setsockopt(2) on the level of sockets.
	SetOption(sock, name int, on bool) (ok bool)
	// Queued is what ioctl(2) says for SIOCINQ or SIOCOUTQ, -1 for an error.
	Queued(sock, direction int) int32
	// Poll is what poll(2) says at once, 0 for an error.
	Poll(fd int, events int16) int16

	// Close is close(2), of what is known to close at once.
	Close(fd int)
	// CloseInBackground closes what may take time, and takes ownership of it; if it
	// is a connection, not for ever.
	CloseInBackground(fd int, connection bool)
	// Closing is how many of those are not closed yet. CloseProgress tells whether
	// there will soon be fewer, as far as one can tell, and how many hang;
	// the next of those closes that is over ends a Wait then.
	Closing() int
	CloseProgress() (moving bool, hanging int)

	// Quit lends a session for a step that locks the socket, which belongs in the
	// background: who else has it open can hold that lock. QuitDone returns a session
	// and what came of the step: whether QUIT was sent, or anything is there to be
	// read; no descriptor, -1, when there is none to be returned. When one can be, Wait
	// returns. QuitProgress is how many are lent, and how many steps hang; it is
	// called from time to time while there are any.
	Quit(fd int, step QuitStep)
	QuitDone() (fd int, step QuitStep, done bool)
	QuitProgress() (lent, hanging int)

	// Limit is how many descriptors the process may have, once it has raised that as
	// far as it can, and how many it has.
	Limit() (most, used int, err error)
	// Release frees what the kernel itself has opened.
	Release()
}
