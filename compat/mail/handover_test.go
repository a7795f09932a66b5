package mail

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/testbed"
	"scache/compat/wire"
)

var handovers = flag.Int("handovers", 10_000, "how many hand-overs TestNoQuitAfterHandover waits for")

// A quitSink is a mail server that knows who holds a connection: its client says
// "HOLD" once it has it, and "SAVE" before it saves it. A QUIT in between is one
// that nobody should have sent; and after a QUIT nothing may follow.
type quitSink struct {
	net.Listener
	quits  atomic.Int64
	handed atomic.Int64
	wrong  atomic.Value // the first thing that should not have been, a string
}

func (s *quitSink) serve() {
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		go s.listen(conn)
	}
}

func (s *quitSink) listen(conn net.Conn) {
	defer conn.Close()
	held, quit := true, false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch line := lines.Text(); {
		case quit:
			s.wrong.CompareAndSwap(nil, "after QUIT: "+line)
		case line == "HOLD" && !held:
			held = true
			s.handed.Add(1)
		case line == "SAVE" && held:
			held = false
		case line == "QUIT" && !held:
			quit = true
			s.quits.Add(1)
			conn.Write([]byte("221 Bye\r\n"))
		default:
			s.wrong.CompareAndSwap(nil, fmt.Sprintf("%s while held: %v", line, held))
		}
	}
}

const handoverProperty = "tls_level=0\nreuse_count=1\nendpoint_features=143\nexpire_time=1780000000\n\n"

// A holder saves sessions and takes what it finds, over and over.
type holder struct {
	*wire.Client
	address unix.Sockaddr
	label   string
}

// save saves a session, and keeps its copy open for a while longer, as smtp(8) does.
func (h *holder) save(fd int) error {
	defer unix.Close(fd)
	if err := unix.Sendto(fd, []byte("SAVE\r\n"), unix.MSG_NOSIGNAL, nil); err != nil {
		return err
	}
	if err := h.Ask(wire.List("request", "save_endp", "ttl", "1", "label", h.label, "property", handoverProperty), wire.Dummy); err != nil {
		return err
	}
	if err := h.Send("\x00", fd); err != nil {
		return err
	}
	return h.Expect(wire.Done)
}

// find finds a session, or makes a new one.
func (h *holder) find() (fd int, err error) {
	hit, err := h.LookUp(wire.FindEndpoint(h.label), wire.List("status", "0", "property", handoverProperty), wire.Missed)
	if err != nil {
		return -1, err
	}
	if !hit {
		return wire.ConnectTCP(h.address)
	}
	if fd, err = h.Take(); err != nil {
		return -1, err
	}
	if err = unix.Sendto(fd, []byte("HOLD\r\n"), unix.MSG_NOSIGNAL, nil); err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// hold makes the daemon hand over sessions until ctx ends.
func (h *holder) hold(ctx context.Context) error {
	for n := 0; ctx.Err() == nil; n++ {
		fd, err := h.find()
		if err == nil {
			err = h.save(fd)
		}
		if err == nil && n%4 == 0 { // so that limits have something to push out
			if fd, err = wire.ConnectTCP(h.address); err == nil {
				err = h.save(fd)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flush drops what is cached until ctx ends.
func flush(ctx context.Context, path string) error {
	c, err := wire.DialGreeted(path, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	one := make([]byte, 1)
	for ctx.Err() == nil {
		if err := c.Send(wire.List("request", "scached_flush", "transport", "", "destination", "", "endpoint", "b", "match", "prefix", "cursor", "s0")); err != nil {
			return err
		}
		for answer := ""; !strings.HasSuffix(answer, "\x00\x00") || strings.HasSuffix(answer, "cursor\x00\x00"); answer += string(one) {
			if err := c.ReadFull(one); err != nil {
				return err
			}
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

// TestNoQuitAfterHandover has sessions be handed over while they expire, are
// flushed and are pushed out by limits. None that somebody has, or was promised, is
// ever sent QUIT.
func TestNoQuitAfterHandover(t *testing.T) {
	daemon, err := master.Start(t.Context(), master.Options{Program: testbed.Ours(t), MainCF: "scached_quit = yes\n" +
		"scached_session_limit = 12\nscached_endpoint_session_limit = 4\nconnection_cache_ttl_limit = 1s\n"})
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sink := &quitSink{Listener: listener}
	defer listener.Close()
	go sink.serve()
	address := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: listener.Addr().(*net.TCPAddr).Port}

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var running sync.WaitGroup
	errs := make(chan error, 10)
	start := func(f func() error) {
		running.Go(func() {
			if err := f(); err != nil {
				errs <- err
				cancel()
			}
		})
	}
	for i := range 6 {
		c, err := wire.DialGreeted(daemon.Socket(), patience)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		h := &holder{Client: c, address: address, label: []string{"smtp\na\n", "smtp\nb\n", "smtp\nc\n"}[i%3]}
		start(func() error { return h.hold(ctx) })
	}
	start(func() error { return flush(ctx, daemon.Socket()) })
	for ctx.Err() == nil && sink.handed.Load() < int64(*handovers) && sink.wrong.Load() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	running.Wait()
	close(errs)
	for err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	t.Logf("%d hand-overs, %d sessions ended with QUIT", sink.handed.Load(), sink.quits.Load())
	if wrong := sink.wrong.Load(); wrong != nil {
		t.Errorf("a mail server reads: %v", wrong)
	}
	if sink.handed.Load() < int64(*handovers) || sink.quits.Load() < int64(*handovers)/100 {
		t.Error("that is too few")
	}
}
