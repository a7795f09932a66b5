package mail

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
)

// A sinkConn speaks SMTP with one client: as much of it as smtp(8) wants.
type sinkConn struct {
	sink    *Sink
	conn    net.Conn // the TCP connection, or TLS on top of it
	session *SinkSession
	in      *bufio.Reader
	out     *bufio.Writer

	sender     string
	recipients []string
}

// verbTLS is the verb of the STARTTLS command, as a switch sees it.
const verbTLS = "STARTTLS"

func (c *sinkConn) serve() {
	c.attach(c.conn)
	c.reply("220 sink.example.test ESMTP")
	for {
		line, err := c.line()
		if err != nil {
			return
		}
		verb, argument, _ := strings.Cut(line, " ")
		if !c.command(strings.ToUpper(verb), argument) {
			c.out.Flush()
			return
		}
	}
}

func (c *sinkConn) attach(conn net.Conn) {
	c.conn, c.in, c.out = conn, bufio.NewReader(conn), bufio.NewWriter(conn)
}

// line reads one command. Replies are held back while the client has more to
// say, which is what PIPELINING is for.
func (c *sinkConn) line() (string, error) {
	if c.in.Buffered() == 0 {
		if err := c.out.Flush(); err != nil {
			return "", err
		}
	}
	c.conn.SetReadDeadline(time.Now().Add(c.sink.options.IdleTimeout))
	line, err := c.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func (c *sinkConn) reply(line string) { c.out.WriteString(line + "\r\n") }

// command answers one command and returns whether the connection goes on.
func (c *sinkConn) command(verb, argument string) bool {
	switch verb {
	case "EHLO", "LHLO":
		c.reset()
		c.greet()
	case "HELO", "RSET":
		c.reset()
		c.reply("250 Ok")
	case "NOOP", "VRFY":
		c.reply("250 Ok")
	case "MAIL":
		c.sender = address(argument)
		c.reply("250 Ok")
	case "RCPT":
		c.recipients = append(c.recipients, address(argument))
		c.reply("250 Ok")
	case "DATA":
		return c.data()
	case verbTLS:
		return c.startTLS()
	case "AUTH":
		c.reply("235 Ok")
	case "QUIT":
		c.sink.bookQuit(c.session)
		c.reply("221 Bye")
		return false
	default:
		c.reply("502 Unknown command")
	}
	return true
}

func (c *sinkConn) greet() {
	c.reply("250-sink.example.test")
	c.reply("250-PIPELINING")
	if _, secure := c.conn.(*tls.Conn); !secure && c.sink.tls != nil {
		c.reply("250-" + verbTLS)
	}
	if c.sink.options.Login {
		c.reply("250-AUTH PLAIN")
	}
	if c.sink.options.UTF8 {
		c.reply("250-SMTPUTF8")
	}
	c.reply("250 8BITMIME")
}

func (c *sinkConn) reset() { c.sender, c.recipients = "", nil }

func (c *sinkConn) data() bool {
	if len(c.recipients) == 0 {
		c.reply("503 No recipients")
		return true
	}
	c.reply("354 Go on")
	if err := c.out.Flush(); err != nil {
		return false
	}
	text, err := io.ReadAll(textproto.NewReader(c.in).DotReader())
	if err != nil {
		return false
	}
	// To wait is the point: a message takes the time that it was said to take.
	time.Sleep(c.sink.options.Delay)
	message := SinkMessage{Sender: c.sender, Recipients: c.recipients}
	if parsed, err := mail.ReadMessage(bytes.NewReader(text)); err == nil {
		message.Subject = parsed.Header.Get("Subject")
		message.MessageID = parsed.Header.Get("Message-Id")
	}
	c.sink.book(c.session, message)
	answers := 1
	if c.sink.options.LMTP {
		answers = len(c.recipients)
	}
	c.reset()
	for range answers {
		c.reply("250 Ok")
	}
	return true
}

func (c *sinkConn) startTLS() bool {
	if c.sink.tls == nil {
		c.reply("502 Unknown command")
		return true
	}
	c.reply("220 Go on")
	if err := c.out.Flush(); err != nil || c.in.Buffered() != 0 {
		return false
	}
	secure := tls.Server(c.conn, c.sink.tls)
	secure.SetDeadline(time.Now().Add(c.sink.options.IdleTimeout))
	if err := secure.Handshake(); err != nil {
		return false
	}
	secure.SetDeadline(time.Time{})
	c.attach(secure)
	c.sink.bookTLS(c.session)
	c.reset()
	return true
}

// address returns what stands between the angle brackets of MAIL FROM:<...>.
func address(argument string) string {
	_, rest, _ := strings.Cut(argument, "<")
	inner, _, _ := strings.Cut(rest, ">")
	return inner
}
