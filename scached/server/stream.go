package server

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"scache/scached/protocol"
)

// ServeStream serves one client, of whom it borrows a descriptor for each
// direction, as the reference does with option -S: one burst of requests, as
// many as come in one read. It waits for the client. Report is for afterwards.
func (s *Server) ServeStream(in, out int) error {
	s.service.Quit = nil // there is no loop
	var conn protocol.Conn
	conn.Open(s.service, true)
	defer conn.Close()
	for action := protocol.Input; ; {
		if err := writeAll(out, conn.Output()); err != nil {
			conn.Broken(err)
			break
		}
		conn.Written(len(conn.Output()))
		var err error
		if action, err = s.step(&conn, action, in, out); err != nil {
			return err
		}
		if conn.Idle() || action == protocol.Drop {
			break
		}
	}
	s.now = s.kernel.Now()
	return nil
}

// step carries out an action of the conversation.
func (s *Server) step(conn *protocol.Conn, action protocol.Action, in, out int) (protocol.Action, error) {
	switch action {
	case protocol.Send:
		return s.sendStream(conn, out), nil
	case protocol.AwaitRead:
		return conn.AnswerRead(), nil
	case protocol.Drop:
		return action, nil
	case protocol.Descriptor:
		return s.receiveStream(conn, in), nil
	}
	n, err := unix.Read(in, s.buffer[:])
	switch {
	case err == unix.EINTR:
		return action, nil
	case err != nil:
		return action, fmt.Errorf("read from standard input: %w", err)
	case n == 0:
		conn.End(io.EOF)
		return action, nil
	}
	return conn.Input(s.buffer[:n], nil), nil
}

func (s *Server) receiveStream(conn *protocol.Conn, in int) protocol.Action {
	wait(in, unix.POLLIN)
	_, fds, lost, err := s.kernel.Receive(in, s.buffer[:1])
	if err != nil {
		return conn.Received(-1, err)
	}
	for _, fd := range fds {
		s.descriptors.adopt(fd)
	}
	var none client
	return conn.Received(s.pick(&none, fds, lost))
}

func (s *Server) sendStream(conn *protocol.Conn, out int) protocol.Action {
	wait(out, unix.POLLOUT)
	if err := s.kernel.SendDescriptor(out, conn.Session()); err != nil {
		return conn.Sent(err)
	}
	return conn.Sent(nil)
}

func wait(fd int, events int16) {
	unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: events}}, -1)
}

// writeAll writes to any kind of descriptor.
func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		if err == unix.EAGAIN {
			wait(fd, unix.POLLOUT)
		} else if err != nil && err != unix.EINTR {
			return err
		}
		p = p[max(n, 0):]
	}
	return nil
}
