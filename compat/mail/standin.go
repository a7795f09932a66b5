package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/textproto"
	"os"
	"os/user"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/master"
	"scache/compat/postfix"
	"scache/scached/client"
	"scache/scached/protocol"
)

// DeliverStandIn delivers the mail to a sink without Postfix: every sender is
// a stand-in for smtp(8) (src/smtp/smtp_reuse.c), which asks the cache for a
// session and saves it after each message. The daemon runs under a stand-in
// master; where the caller is not root, it drops no privileges, having none.
func DeliverStandIn(ctx context.Context, program string, mail Injection) (result *Result, err error) {
	sink, err := StartSink(SinkOptions{})
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	root := os.Getuid() == 0
	d, err := master.Start(ctx, master.Options{Program: program, Chroot: root, Unprivileged: root, MainCF: standInOwner()})
	if err != nil {
		return nil, err
	}
	defer d.Close()

	start := time.Now()
	reused, err := deliverStandIn(ctx, d, sink.Addr(), mail)
	if err != nil {
		return nil, fmt.Errorf("%w; the log ends:\n%s", err, d.Log.Tail(0, 50))
	}
	took := time.Since(start)
	d.HangUp()
	if _, err := d.Wait(patience); err != nil {
		return nil, err
	}
	result = newResult(mail.Messages, sink)
	result.Took = took
	result.Lines = d.Log.Lines()
	result.Tally = postfix.TallyOf(result.Lines, filepath.Base(program))
	result.Sent, result.Reused = mail.Messages, reused
	return result, nil
}

// standInOwner names a mail_owner that exists where Postfix is not installed.
func standInOwner() string {
	if _, err := user.Lookup("postfix"); err == nil {
		return ""
	}
	return "mail_owner = nobody\n"
}

func deliverStandIn(ctx context.Context, d *master.Daemon, to netip.AddrPort, mail Injection) (reused int, err error) {
	var next, reuses atomic.Int64
	var senders sync.WaitGroup
	failures := make([]error, max(mail.Senders, 1))
	for i := range failures {
		senders.Go(func() {
			s, err := newStandInSender(d, to)
			if err != nil {
				failures[i] = err
				return
			}
			defer s.cache.Close()
			for n := next.Add(1) - 1; n < int64(mail.Messages) && ctx.Err() == nil && failures[i] == nil; n = next.Add(1) - 1 {
				again, err := s.deliver(mail.recipient(int(n)), int(n))
				failures[i] = err
				if again {
					reuses.Add(1)
				}
			}
		})
	}
	senders.Wait()
	return int(reuses.Load()), errors.Join(append(failures, ctx.Err())...)
}

// A standInSender is one process of smtp(8).
type standInSender struct {
	cache       *client.Client
	to          netip.AddrPort
	destination string // label
	endpoint    string // label
}

// standInTTL is smtp_connection_cache_time_limit.
const standInTTL = 2 * time.Second

func newStandInSender(d *master.Daemon, to netip.AddrPort) (*standInSender, error) {
	cache, err := client.Dial(context.Background(), d.Socket(), protocol.Current)
	if err != nil {
		return nil, err
	}
	return &standInSender{
		cache:       cache,
		to:          to,
		destination: fmt.Sprintf("smtp\n[%s]:%d", to.Addr(), to.Port()),
		endpoint:    fmt.Sprintf("smtp\n%s\n%d", to.Addr(), to.Port()),
	}, nil
}

// deliver delivers one message, and tells whether a cached session took it.
func (s *standInSender) deliver(recipient string, i int) (reused bool, err error) {
	fd, reused, err := s.session()
	if err != nil {
		return false, err
	}
	// The descriptor is this function's: the cache has its own afterwards.
	defer unix.Close(fd)
	if err := deliverOver(fd, reused, recipient, i); err != nil {
		return false, fmt.Errorf("deliver message %d: %w", i, err)
	}
	if err := s.cache.SaveDestination(context.Background(), standInTTL, s.destination, "destination property", s.endpoint); err != nil {
		return false, err
	}
	return reused, s.cache.SaveEndpoint(context.Background(), standInTTL, s.endpoint, "endpoint property", fd)
}

// session returns a session by destination, by endpoint, or a new one. The
// caller owns it.
func (s *standInSender) session() (fd int, cached bool, err error) {
	if fd, _, _, err = s.cache.FindDestination(context.Background(), s.destination); !errors.Is(err, client.ErrNotFound) {
		return fd, true, err
	}
	if fd, _, err = s.cache.FindEndpoint(context.Background(), s.endpoint); !errors.Is(err, client.ErrNotFound) {
		return fd, true, err
	}
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, false, fmt.Errorf("socket: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: s.to.Addr().As4(), Port: int(s.to.Port())}); err != nil {
		unix.Close(fd)
		return -1, false, fmt.Errorf("connect to %v: %w", s.to, err)
	}
	return fd, false, nil
}

// deliverOver speaks SMTP over a descriptor, which it borrows and leaves as it
// is: a file or connection of Go's would change its blocking mode.
func deliverOver(fd int, reused bool, recipient string, i int) error {
	text := textproto.NewConn(borrowedConn(fd))
	steps := []struct {
		command string
		code    int
	}{
		{"", 220},
		{"EHLO standin.example.test", 250},
		{"RSET", 250},
		{"MAIL FROM:<" + injectSender + ">", 250},
		{"RCPT TO:<" + recipient + ">", 250},
		{"DATA", 354},
		{fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n\r\nHello.\r\n.", injectSender, recipient, subject(i)), 250},
	}
	if reused {
		steps = steps[2:]
	}
	for _, step := range steps {
		if step.command != "" {
			if err := text.PrintfLine("%s", step.command); err != nil {
				return err
			}
		}
		if _, _, err := text.ReadResponse(step.code); err != nil {
			return err
		}
	}
	return nil
}

// A borrowedConn reads and writes a blocking descriptor. Close does nothing.
type borrowedConn int

func (c borrowedConn) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(c), p)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, fmt.Errorf("read: %w", err)
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (c borrowedConn) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := unix.SendmsgN(int(c), p[written:], nil, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return written, fmt.Errorf("write: %w", err)
		}
		written += n
	}
	return written, nil
}

func (c borrowedConn) Close() error { return nil }
