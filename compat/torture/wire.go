package torture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
	"scache/scached/protocol"
)

// patience is how long a client waits for an answer before it counts as none.
const patience = 3 * time.Second

var (
	errNoAnswer = errors.New("no answer")
	errEnded    = errors.New("the connection has ended")
)

// What the daemon says.
var (
	greeting = string(protocol.Dialects[0].AppendGreeting(nil))
	dummy    = list("dummy", "")
	done     = list("status", "0")
	failed   = list("status", "2")
	missed   = list("status", "2", "property", "")
	found    = list("status", "0", "property", "p")
	missedBy = list("status", "2", "property", "", "property", "") // by destination
	foundBy  = list("status", "0", "property", "p", "property", "p")
)

// list is an attribute list of names and values.
func list(pairs ...string) string {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = attrproto.AppendString(b, pairs[i], []byte(pairs[i+1]))
	}
	return string(attrproto.AppendEnd(b))
}

func saveEndpoint(label, ttl string) string {
	return list("request", "save_endp", "ttl", ttl, "label", label, "property", "p")
}

func saveDestination(label, ttl, endpoint string) string {
	return list("request", "save_dest", "ttl", ttl, "label", label, "property", "p", "label", endpoint)
}

func findEndpoint(label string) string { return list("request", "find_endp", "label", label) }

func findDestination(label string) string { return list("request", "find_dest", "label", label) }

// dial connects to a daemon. No call on the socket waits for longer than
// patience. The caller owns the descriptor.
func dial(path string) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	limit := unix.NsecToTimeval(int64(patience))
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("set timeout: %w", err)
		}
	}
	for {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connect: %w", timedOut(err))
	}
	return fd, nil
}

// connect makes a client that lives as long as the attack.
func (a *Arena) connect() (fd int, err error) {
	if fd, err = dial(a.Daemon.Socket()); err == nil {
		a.keep(fd)
	}
	return fd, err
}

// greeted is connect for a client that has got its greeting.
func (a *Arena) greeted() (fd int, err error) {
	if fd, err = a.connect(); err == nil {
		err = expect(fd, greeting)
	}
	return fd, err
}

// crowd makes n clients, greeted or not.
func (a *Arena) crowd(n int, connect func() (int, error)) ([]int, error) {
	fds := make([]int, n)
	for i := range fds {
		var err error
		if fds[i], err = connect(); err != nil {
			return nil, fmt.Errorf("client %d: %w", i, err)
		}
	}
	return fds, nil
}

func timedOut(err error) error {
	if err == unix.EAGAIN || err == unix.EINPROGRESS {
		return errNoAnswer
	}
	return err
}

// send writes all of data.
func send(fd int, data string) error { return sendWith(fd, data, nil) }

// sendWith writes all of data, with control messages on its first byte.
func sendWith(fd int, data string, control []byte) error {
	for len(data) > 0 {
		n, err := unix.SendmsgN(fd, []byte(data), control, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("send: %w", timedOut(err))
		}
		data, control = data[n:], nil
	}
	return nil
}

// trySend writes what fits, and reports whether that was all.
func trySend(fd int, data string) bool {
	n, err := unix.SendmsgN(fd, []byte(data), nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	return err == nil && n == len(data)
}

// expect reads exactly what is wanted.
func expect(fd int, want string) error {
	got := make([]byte, len(want))
	if err := readFull(fd, got); err != nil {
		return fmt.Errorf("waiting for %q: %w", want, err)
	}
	if string(got) != want {
		return fmt.Errorf("read %q, want %q", got, want)
	}
	return nil
}

// readFull fills p.
func readFull(fd int, p []byte) error {
	for n := 0; n < len(p); {
		m, err := unix.Read(fd, p[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("got %q: %w", p[:n], timedOut(err))
		}
		if m == 0 {
			return fmt.Errorf("got %q: %w", p[:n], errEnded)
		}
		n += m
	}
	return nil
}

// ask sends a request and reads its answer.
func ask(fd int, request, answer string) error {
	if err := send(fd, request); err != nil {
		return err
	}
	return expect(fd, answer)
}

// save saves a session, of which it borrows the descriptor.
func save(fd int, label, ttl string, session int) error {
	if err := ask(fd, saveEndpoint(label, ttl), dummy); err != nil {
		return err
	}
	if err := sendWith(fd, "\x00", unix.UnixRights(session)); err != nil {
		return err
	}
	return expect(fd, done)
}

// lookUp asks for a session and reports whether there is one. The two answers
// differ from the status on.
func lookUp(fd int, request, hit, miss string) (bool, error) {
	if err := send(fd, request); err != nil {
		return false, err
	}
	const status = len("status\x000\x00")
	first := make([]byte, status)
	if err := readFull(fd, first); err != nil {
		return false, err
	}
	switch string(first) {
	case hit[:status]:
		return true, expect(fd, hit[status:])
	case miss[:status]:
		return false, expect(fd, miss[status:])
	}
	return false, fmt.Errorf("unexpected answer %q", first)
}

var errMissed = errors.New("no session was found")

// find takes a session out of the cache. The caller owns its descriptor.
func find(fd int, label string) (session int, err error) {
	hit, err := lookUp(fd, findEndpoint(label), found, missed)
	if err != nil {
		return -1, err
	}
	if !hit {
		return -1, errMissed
	}
	return take(fd)
}

// take receives a session that the daemon has found.
func take(fd int) (session int, err error) {
	if err := send(fd, dummy); err != nil {
		return -1, err
	}
	var nul [1]byte
	control := make([]byte, unix.CmsgSpace(4))
	n, controlled, _, _, err := unix.Recvmsg(fd, nul[:], control, unix.MSG_CMSG_CLOEXEC)
	for err == unix.EINTR {
		n, controlled, _, _, err = unix.Recvmsg(fd, nul[:], control, unix.MSG_CMSG_CLOEXEC)
	}
	if err != nil {
		return -1, fmt.Errorf("receive descriptor: %w", timedOut(err))
	}
	messages, err := unix.ParseSocketControlMessage(control[:controlled])
	if err != nil || n != 1 || len(messages) != 1 {
		return -1, fmt.Errorf("receive descriptor: %d bytes with %d control messages", n, len(messages))
	}
	rights, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(rights) != 1 {
		return -1, fmt.Errorf("receive descriptor: %d of them, %v", len(rights), err)
	}
	send(fd, dummy) // as smtp(8) does: the SMTP session is here, whoever hears that
	return rights[0], nil
}

// pair is a session and its remote end. The caller owns both.
func pair() (session, remote int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("socketpair: %w", err)
	}
	return fds[0], fds[1], nil
}

// ended waits until the daemon has ended the connection.
func ended(fd int, timeout time.Duration) bool {
	deadline := time.Now().Add(timeout)
	for {
		left := time.Until(deadline)
		poll := []unix.PollFd{{Fd: int32(fd)}} // only that it is over, not that there is something to read
		n, err := unix.Poll(poll, int(max(left, 0)/time.Millisecond))
		if n > 0 && poll[0].Revents&unix.POLLHUP != 0 {
			return true
		}
		if err != unix.EINTR && left <= 0 {
			return false
		}
	}
}
