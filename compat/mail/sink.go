package mail

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// SinkOptions say what the SMTP server is like. The zero value is one that
// accepts everything on 127.0.0.1.
type SinkOptions struct {
	Host        string        // address to listen on, in 127/8 or ::1; 127.0.0.1 if empty
	Socket      string        // path of a UNIX-domain socket to listen on, instead of an address
	LMTP        bool          // speak LMTP
	TLS         bool          // offer STARTTLS, with a certificate made for the occasion
	Login       bool          // offer AUTH PLAIN, and take any password
	UTF8        bool          // offer SMTPUTF8
	IdleTimeout time.Duration // close a connection that says nothing for so long; 0: five minutes
	Delay       time.Duration // time that the delivery of a message takes
}

// A Sink is an SMTP server that accepts every message and records it. Its
// methods may be called from any goroutine.
type Sink struct {
	options  SinkOptions
	listener net.Listener
	tls      *tls.Config // with a certificate for sink.example.test
	handlers sync.WaitGroup

	mu       sync.Mutex
	sessions []*SinkSession
	open     map[net.Conn]bool
	messages int
	closed   bool
	changed  chan struct{} // closed and replaced with every message
}

// A SinkSession is one TCP connection to the sink, and what came over it.
type SinkSession struct {
	Peer     netip.AddrPort
	TLS      bool
	Quit     bool // it ended with QUIT, within TLS if there was TLS
	Messages []SinkMessage
}

// A SinkMessage is one message that the sink has accepted.
type SinkMessage struct {
	Subject    string
	MessageID  string
	Sender     string
	Recipients []string
}

const defaultSinkIdle = 5 * time.Minute

// StartSink starts an SMTP server on a free port. The caller calls [Sink.Close].
func StartSink(o SinkOptions) (*Sink, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultSinkIdle
	}
	s := &Sink{options: o, open: make(map[net.Conn]bool), changed: make(chan struct{})}
	if o.TLS {
		certificate, err := selfSigned("sink.example.test")
		if err != nil {
			return nil, fmt.Errorf("start smtp sink: %w", err)
		}
		s.tls = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	var err error
	if s.listener, err = o.listen(); err != nil {
		return nil, fmt.Errorf("start smtp sink: %w", err)
	}
	s.handlers.Add(1)
	go s.accept()
	return s, nil
}

func (o *SinkOptions) listen() (net.Listener, error) {
	if o.Socket == "" {
		return net.Listen("tcp", net.JoinHostPort(o.Host, "0"))
	}
	listener, err := net.Listen("unix", o.Socket)
	if err != nil {
		return nil, err
	}
	return listener, os.Chmod(o.Socket, 0o777) // Postfix is another user
}

// Addr is where the sink listens, if that is no socket in a file system.
func (s *Sink) Addr() netip.AddrPort {
	return s.listener.Addr().(*net.TCPAddr).AddrPort()
}

// NextHop is the sink's address as Postfix's transport tables spell it.
func (s *Sink) NextHop() string {
	if s.options.Socket != "" {
		return "unix:" + s.options.Socket
	}
	return fmt.Sprintf("[%s]:%d", s.Addr().Addr(), s.Addr().Port())
}

func (s *Sink) accept() {
	defer s.handlers.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		session := s.enter(conn)
		if session == nil {
			conn.Close()
			return
		}
		go func() {
			defer s.handlers.Done()
			defer s.leave(conn)
			(&sinkConn{sink: s, conn: conn, session: session}).serve()
		}()
	}
}

// enter records a connection, unless the sink is being closed.
func (s *Sink) enter(conn net.Conn) *SinkSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	session := &SinkSession{}
	if peer, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		session.Peer = peer.AddrPort()
	}
	s.sessions = append(s.sessions, session)
	s.open[conn] = true
	s.handlers.Add(1)
	return session
}

func (s *Sink) leave(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

func (s *Sink) book(session *SinkSession, message SinkMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session.Messages = append(session.Messages, message)
	s.messages++
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Sink) bookTLS(session *SinkSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session.TLS = true
}

func (s *Sink) bookQuit(session *SinkSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session.Quit = true
}

// Sessions returns a copy of what was recorded: a session for every connection
// that was made, in that order.
func (s *Sink) Sessions() []SinkSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions := make([]SinkSession, len(s.sessions))
	for i, session := range s.sessions {
		sessions[i] = *session
		sessions[i].Messages = slices.Clone(session.Messages)
	}
	return sessions
}

// Messages returns all messages accepted so far.
func (s *Sink) Messages() []SinkMessage {
	var messages []SinkMessage
	for _, session := range s.Sessions() {
		messages = append(messages, session.Messages...)
	}
	return messages
}

// Count returns the number of connections made and of messages accepted.
func (s *Sink) Count() (connections, messages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions), s.messages
}

// Wait waits until the sink has accepted n messages, for no longer than timeout.
func (s *Sink) Wait(n int, timeout time.Duration) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		got, changed := s.messages, s.changed
		s.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-changed:
		case <-deadline.C:
			return fmt.Errorf("wait for %d messages: %d after %v", n, got, timeout)
		}
	}
}

// Close closes all connections and waits until their handlers have ended.
func (s *Sink) Close() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.handlers.Wait()
}
