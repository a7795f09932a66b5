package attrproto_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"scache/attrproto"
	"scache/attrproto/service"
)

// The mail queue of a running Postfix, in ten lines.
func Example() {
	conn, err := net.Dial("unix", "/var/spool/postfix/public/showq")
	if err != nil {
		fmt.Println("no Postfix here")
		return
	}
	defer conn.Close()
	r := attrproto.NewReader(conn)
	r.Greeting("mail_queue_list_protocol")
	for r.More() {
		var queue, id, sender, recipient, reason string
		var arrival, size int64
		var expired int
		r.Scan(attrproto.FlagStrict|attrproto.FlagMore,
			attrproto.StringVar("queue_name", &queue), attrproto.StringVar("queue_id", &id),
			attrproto.LongVar("time", &arrival), attrproto.LongVar("size", &size),
			attrproto.IntVar("forced_expire", &expired), attrproto.StringVar("sender", &sender))
		for r.More() {
			r.Scan(attrproto.FlagStrict|attrproto.FlagMore,
				attrproto.StringVar("recipient", &recipient), attrproto.StringVar("reason", &reason))
			fmt.Println(queue, id, size, sender, "to", recipient, reason)
		}
	}
	if err := r.Err(); err != nil {
		fmt.Println("the listing is not complete:", err)
	}
}

// Pure functions: append and consume.
func ExampleEncoding_AppendString() {
	list, err := attrproto.Plain.AppendString(nil, "request", "connect")
	if err == nil {
		list, err = attrproto.Plain.AppendString(list, "ident", "smtp:192.0.2.1")
	}
	list = attrproto.Plain.AppendEnd(list)
	fmt.Printf("%s%v\n", list, err)

	_, err = attrproto.Plain.AppendString(nil, "ident", "smtp\nrequest=disconnect")
	fmt.Println(err)
	// Output:
	// request=connect
	// ident=smtp:192.0.2.1
	//
	// <nil>
	// attribute "ident": the value holds a newline
}

func ExampleConsumer() {
	input := []byte("status\x000\x00{\x00a\x00b\x00}\x00\x00")
	c := attrproto.Consumer{Encoding: attrproto.Null}
	for len(input) > 0 {
		item, n, err := c.Consume(input)
		if n == 0 || err != nil {
			fmt.Println("incomplete or malformed:", err)
			break
		}
		switch item.Kind {
		case attrproto.ItemAttribute:
			fmt.Printf("%s is %s\n", item.Name, item.Value)
		case attrproto.ItemOpen, attrproto.ItemClose:
			fmt.Println("a group begins or ends")
		case attrproto.ItemEnd:
			fmt.Println("end of the list")
		}
		input = input[n:]
	}
	// Output:
	// status is 0
	// a group begins or ends
	// a is b
	// a group begins or ends
	// end of the list
}

// A scan of bytes that arrive in pieces.
func ExampleScan() {
	wants := []attrproto.Want{
		{Name: "request"},
		{Type: attrproto.TypeInt, Name: "ttl"},
		{Name: "label"},
	}
	var scan attrproto.Scan
	scan.Start(attrproto.FlagStrict, wants)
	var list []byte
	for _, piece := range []string{"request\x00save", "_dest\x00ttl\x002\x00la", "bel\x00example.com\x00\x00"} {
		list = append(list, piece...)
		if scan.Run(list, nil) {
			break
		}
		fmt.Println("needs more")
	}
	count, err := scan.Result()
	fmt.Println(count, err == nil)
	fmt.Printf("%s, %d seconds, %s\n", scan.Bytes(list, 0), scan.Uint(1), scan.Bytes(list, 2))
	// Output:
	// needs more
	// needs more
	// 3 true
	// save_dest, 2 seconds, example.com
}

func ExampleReader_Scan() {
	reply := "flags\x000\x00transport\x00smtp\x00nexthop\x00example.com\x00\x00"
	r := attrproto.NewReader(strings.NewReader(reply))
	var flags int
	var transport, nexthop string
	_, err := r.Scan(attrproto.FlagStrict,
		attrproto.IntVar("flags", &flags),
		attrproto.StringVar("transport", &transport),
		attrproto.StringVar("nexthop", &nexthop))
	fmt.Println(flags, transport, nexthop, err)
	_, err = r.Scan(attrproto.FlagStrict, attrproto.IntVar("flags", &flags))
	fmt.Println(err == io.EOF)
	// Output:
	// 0 smtp example.com <nil>
	// true
}

// Whose fault an error is, and what Postfix would have logged about it.
func ExampleError() {
	r := attrproto.NewReader(strings.NewReader("status\x00zero\x00\x00"))
	var status int
	_, err := r.Scan(attrproto.FlagStrict, attrproto.IntVar("status", &status))
	var e *attrproto.Error
	if errors.As(err, &e) {
		switch e.Class() {
		case attrproto.ClassIO:
			fmt.Println("trouble with the connection:", e.Err)
		case attrproto.ClassSyntax:
			fmt.Println("malformed at", e.Offset)
		case attrproto.ClassWish:
			fmt.Println("not what was asked for")
		}
		fmt.Println(e.Warnings("scache socket")[0])
	}
	// Output:
	// malformed at 7
	// malformed numerical data from scache socket while reading input attribute value: zero
}

func ExampleWriter() {
	w := attrproto.NewWriter(os.Stdout)
	w.Encoding = attrproto.Plain
	w.String("request", "smtpd_access_policy")
	w.Long("size", 12345)
	w.Bool("encrypted", true)
	if err := w.Send(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// request=smtpd_access_policy
	// size=12345
	// encrypted=true
	//
}

// A list that grows on the way: a number tells how many strings follow.
func ExampleFuncVar() {
	var args []string
	left := -1
	argv := func(got *attrproto.Scan, list []byte) (next []attrproto.Want, ok bool) {
		switch {
		case got == nil:
			return []attrproto.Want{{Type: attrproto.TypeInt, Name: "argv_size"}}, true
		case got.Granted() != 1:
			return nil, false
		case left < 0:
			left = int(got.Uint(0))
		default:
			args = append(args, string(got.Bytes(list, 0)))
			left--
		}
		if left == 0 {
			return nil, true
		}
		return []attrproto.Want{{Name: "argv_value"}}, true
	}
	r := attrproto.NewReader(strings.NewReader("argv_size\x002\x00argv_value\x00a\x00argv_value\x00b\x00\x00"))
	_, err := r.Scan(attrproto.FlagStrict, attrproto.FuncVar(argv))
	fmt.Println(args, err)
	// Output:
	// [a b] <nil>
}

// A lookalike of verify(8), which holds every address to be deliverable.
func ExampleWriter_Greeting() {
	serve := func(conn net.Conn) error {
		defer conn.Close()
		r, w := attrproto.NewReader(conn), attrproto.NewWriter(conn)
		if err := w.Greeting("address_verification_prrotocol"); err != nil { // Postfix spells it so
			return err
		}
		for {
			var request, address string
			_, err := r.Scan(attrproto.FlagMissing,
				attrproto.StringVar("request", &request), attrproto.StringVar("address", &address))
			if err != nil || request != "query" {
				return err // io.EOF when the client has no more questions
			}
			w.Int("status", 0)
			w.Int("recipient_status", int(service.Deliverable))
			w.String("reason", "delivers to "+address)
			if err := w.Send(); err != nil {
				return err
			}
		}
	}
	queue, listener := verifySocket()
	defer os.RemoveAll(queue)
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			serve(conn)
		}
	}()
	answer, err := service.Postfix{QueueDirectory: queue}.Verify("someone@example.com")
	fmt.Println(answer.Status, answer.Reason, err)
	// Output:
	// deliverable delivers to someone@example.com <nil>
}

// verifySocket listens where a client looks for verify(8).
func verifySocket() (queue string, listener net.Listener) {
	queue, err := os.MkdirTemp("", "sc")
	if err == nil {
		err = os.Mkdir(filepath.Join(queue, "private"), 0o700)
	}
	if err == nil {
		listener, err = net.Listen("unix", filepath.Join(queue, "private/verify"))
	}
	if err != nil {
		log.Fatal(err)
	}
	return queue, listener
}

// A client of scache(8) that looks for a session.
func ExampleConn() {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: "/var/spool/postfix/private/scache", Net: "unix"})
	if err != nil {
		fmt.Println("no Postfix here")
		return
	}
	c, err := attrproto.NewConn(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	var status int
	var property string
	if err := c.In.Greeting("connection_cache_protocol"); err != nil {
		fmt.Println(err)
		return
	}
	c.Out.String("request", "find_endp")
	c.Out.String("label", "smtp\n192.0.2.25\n25\n")
	if err := c.Out.Send(); err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.In.Scan(attrproto.FlagStrict,
		attrproto.IntVar("status", &status), attrproto.StringVar("property", &property))
	if err != nil || status != 0 {
		fmt.Println("no such session", err)
		return
	}
	session, err := c.ReceiveDescriptor(attrproto.Handshake{Before: true, After: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer unix.Close(session)
	fmt.Println("descriptor", session)
}
