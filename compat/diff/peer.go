package diff

import (
	"bytes"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// A peer is a client of a daemon.
type peer struct {
	name   string
	fd     int  // owned; -1 once it is closed
	ended  bool // the daemon has ended the connection
	answer Answer
}

// connectPeer makes a client. Its socket does not block.
func connectPeer(name, path string) (*peer, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	if err := retry(func() error { return unix.Connect(fd, &unix.SockaddrUnix{Name: path}) }); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return &peer{name: name, fd: fd}, nil
}

func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func (p *peer) close() {
	if p.fd >= 0 {
		closeNow(p.fd)
		p.fd = -1
	}
}

// closeNow closes a socket such that the other end knows when it returns: while
// some process is being started, that one has the socket, too.
func closeNow(fd int) error {
	unix.Shutdown(fd, unix.SHUT_RDWR)
	return unix.Close(fd)
}

// send sends what fits, and returns how much that is. The descriptors are
// borrowed and go with the first byte.
func (p *peer) send(data []byte, fds []int) (n int, err error) {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	err = retry(func() (err error) {
		n, err = unix.SendmsgN(p.fd, data, oob, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		return err
	})
	return max(n, 0), err
}

// A receiver is what clients receive with.
type receiver struct {
	sessions *sessions
	data     [64 * 1024]byte
	oob      [256]byte
}

// collect adds what has arrived to the client's answer, and tells whether
// anything has.
func (p *peer) collect(r *receiver) (some bool, err error) {
	for p.fd >= 0 && !p.ended {
		var n, oobn int
		err := retry(func() (err error) {
			n, oobn, _, _, err = unix.Recvmsg(p.fd, r.data[:], r.oob[:], unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
			return err
		})
		switch {
		case err == unix.EAGAIN:
			return some, nil
		case err == unix.ECONNRESET || err == nil && n == 0:
			p.answer.End, p.ended = EndOfFile, true
		case err != nil:
			return some, fmt.Errorf("receive: %w", err)
		}
		some = true
		p.answer.Data = append(p.answer.Data, r.data[:max(n, 0)]...)
		if err := p.takeDescriptors(r.oob[:oobn], r.sessions); err != nil {
			return some, err
		}
	}
	return some, nil
}

func (p *peer) takeDescriptors(oob []byte, sessions *sessions) error {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return fmt.Errorf("control message: %w", err)
	}
	for _, message := range messages {
		fds, err := unix.ParseUnixRights(&message)
		if err != nil {
			return fmt.Errorf("control message: %w", err)
		}
		for _, fd := range fds {
			token, changed := sessions.identify(fd)
			p.answer.Tokens = append(p.answer.Tokens, token)
			if changed != "" {
				p.answer.Changed = append(p.answer.Changed, changed)
			}
		}
	}
	return nil
}

// taken is the answer since the last call.
func (p *peer) taken() Answer {
	answer := p.answer
	p.answer = Answer{}
	answer.Data = bytes.Clone(answer.Data)
	return answer
}

// waitPeers returns when one of the clients has something, or after a moment.
func waitPeers(peers []*peer, moment unix.Timespec) {
	var polls []unix.PollFd
	for _, p := range peers {
		if p.fd >= 0 && !p.ended {
			polls = append(polls, unix.PollFd{Fd: int32(p.fd), Events: unix.POLLIN})
		}
	}
	unix.Ppoll(slices.Clip(polls), &moment, nil)
}
