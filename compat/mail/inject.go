package mail

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/smtp"
	"sync"
	"time"
)

// An Injection is a number of messages to submit over SMTP.
type Injection struct {
	First    int // number of the first message
	Messages int
	Senders  int // connections at a time; 1 if 0
	Pace     int // messages a second at most; as fast as they are taken if 0

	// From returns the sender of message i. If nil, it is
	// sender@origin.example.
	From func(i int) string

	// To returns the recipient of message i. If nil, they go to
	// user@dest.example.
	To func(i int) string
}

// subject is how message i is told from the others.
func subject(i int) string { return fmt.Sprintf("message %d", i) }

func (in *Injection) sender(i int) string {
	if in.From == nil {
		return injectSender
	}
	return in.From(i)
}

func (in *Injection) recipient(i int) string {
	if in.To == nil {
		return "user@dest.example"
	}
	return in.To(i)
}

// Inject submits the messages to the SMTP server at addr and returns when the
// server has taken responsibility for all of them, or with the first error.
func Inject(ctx context.Context, addr netip.AddrPort, in Injection) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	numbers := make(chan int)
	var senders sync.WaitGroup
	for range min(max(in.Senders, 1), in.Messages) {
		senders.Go(func() {
			if err := in.send(ctx, addr, numbers); err != nil {
				cancel(fmt.Errorf("inject mail: %w", err))
			}
		})
	}
	begun := time.Now()
	for i := 0; i < in.Messages && ctx.Err() == nil; i++ {
		if in.Pace > 0 {
			waitFor(ctx, begun.Add(time.Duration(i)*time.Second/time.Duration(in.Pace)))
		}
		select {
		case numbers <- in.First + i:
		case <-ctx.Done():
		}
	}
	close(numbers)
	senders.Wait()
	return context.Cause(ctx)
}

func waitFor(ctx context.Context, due time.Time) {
	select {
	case <-time.After(time.Until(due)):
	case <-ctx.Done():
	}
}

// send submits the messages with the given numbers over one connection.
func (in *Injection) send(ctx context.Context, addr netip.AddrPort, numbers <-chan int) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp4", addr.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	client, err := smtp.NewClient(conn, addr.Addr().String())
	if err != nil {
		return err
	}
	for i := range numbers {
		if err := submit(client, in.sender(i), in.recipient(i), i); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return client.Quit()
}

const injectSender = "sender@origin.example"

func submit(client *smtp.Client, sender, recipient string, i int) error {
	if err := client.Mail(sender); err != nil {
		return err
	}
	if err := client.Rcpt(recipient); err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	fmt.Fprintf(body, "From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%d@origin.example>\r\n\r\nHello.\r\n",
		sender, recipient, subject(i), i)
	return body.Close()
}
