// Package protocol is what the bytes of a client of the connection cache mean.
//
// A [Service] is the cache with what all clients share; a [Conn] is one
// client's connection to it. A Conn makes no system call. It is given what was
// read from the client's socket, and answers with the [Action] that it needs
// next; what it has to say to the client piles up in its Output, which is to
// be written before that action is carried out:
//
//	conn.Open(service)
//	for {
//		write(conn.Output())
//		switch action {
//		case Input:       action = conn.Input(bytes, descriptors)
//		case Descriptor:  action = conn.Received(descriptor, err)
//		case Send:        action = conn.Sent(err)
//		case AwaitRead:   action = conn.AnswerRead()
//		case Drop:        close
//		}
//	}
//
// The conversations (src/scache/scache.c; a list of attributes a line):
//
//	save_endp  client  request ttl label property
//	           server  dummy                            ready for the descriptor
//	           client  NUL with the descriptor
//	           server  status
//	save_dest  client  request ttl label property label
//	           server  status
//	find_endp  client  request label
//	           server  status property
//	find_dest  client  request label
//	           server  status property property
//	on a hit   client  dummy                            ready for the descriptor
//	           server  NUL with the descriptor
//	           client  dummy                            has the descriptor
//
// Older versions of Postfix leave out some of the dummies, see [Dialect]. What
// administrators may ask for besides stands in control.go.
//
// # The buffer rule
//
// The reference has one buffer for both directions of a connection. The first
// byte that it writes throws away what it has read and not yet used; so of
// several requests that arrive in one read, the first one that is answered is
// the last one that is seen. A Conn does the same. What has not been read is
// not lost, which is why no read may ask for more than [BufferSize] bytes, and
// only when the Conn asks for input: it has used up all of the last one by
// then.
package protocol

// BufferSize is how many bytes the reference reads at most at a time
// (VSTREAM_BUFSIZE in src/util/vstream.h).
const BufferSize = 4096

// Logger takes the lines that the service logs. The text may hold any bytes;
// to make them printable is the logger's part.
type Logger interface {
	Info(text string)
	Warning(text string)
}
