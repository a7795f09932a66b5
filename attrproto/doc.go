// Package attrproto speaks the protocol by which Postfix daemons exchange lists
// of named attributes over local stream sockets.
//
// # Which call comes first
//
// To talk to a daemon, make a [Reader] and a [Writer] over the connection, and
// read the daemon's greeting. What each daemon says, and where its socket is,
// stands in a table in the package scache/attrproto/service:
//
//	conn, err := net.Dial("unix", "/var/spool/postfix/private/verify")
//	...
//	r, w := attrproto.NewReader(conn), attrproto.NewWriter(conn)
//	if err := r.Greeting("address_verification_prrotocol"); err != nil { ... }
//	w.String("request", "query")
//	w.String("address", "someone@example.com")
//	if err := w.Send(); err != nil { ... }
//	_, err = r.Scan(attrproto.FlagMissing, attrproto.IntVar("status", &status), ...)
//
// A daemon begins with [Writer.Greeting] and then reads requests with the same
// [Reader.Scan].
//
// Those who have the bytes already, in an event loop for example, match them
// against a wish list with a [Scan], which says when it needs more. To take a
// list apart without any wishes there is a [Consumer], and to append an attribute
// to a slice there are the methods of [Encoding]. Where descriptors travel with
// the lists, a [Conn] takes the place of Reader and Writer; a [Receiver] and
// [SendDescriptor] are for event loops.
//
// For the queue listing and some other services there are ready-made clients
// in the package scache/attrproto/service.
//
// # On the wire
//
// A list is a sequence of attributes and groups. There are three encodings. In
// the one that nearly every service speaks, [Null], NUL stands for a byte of
// that value:
//
//	list      = *( attribute / group ) NUL
//	group     = "{" NUL *attribute "}" NUL
//	attribute = name NUL value NUL
//	name      = 1*any   ; any byte but NUL
//	value     = *any
//
// [Base64] has lines, LF being a newline:
//
//	list      = *( attribute / group ) LF
//	group     = b64("{") LF *attribute b64("}") LF
//	attribute = b64(name) ":" b64(value) LF
//
// and [Plain], which is also the protocol of policy servers, has
//
//	list      = *( attribute / group ) LF
//	group     = "{" NUL LF *attribute "}" NUL LF
//	attribute = name "=" value LF
//	name      = *any    ; any byte but NUL, LF and "="
//	value     = *any    ; any byte but NUL and LF
//
// Numbers are decimal text: an int is unsigned and has 32 bits, a long has 64;
// what C programs think is negative is sent as its complement. A bool is 1 or
// 0, in the plain encoding true or false. Data, which may hold any byte, is
// base64 text, which the base64 encoding does not encode once more.
//
// The reader decides what an attribute means: it asks for names in an order,
// and what it did not ask for is skipped, or is an error with [FlagExtra]. An
// attribute may come more than once.
//
// # What a reader takes
//
// The package takes what attr_scan(3) takes, and says what it says: numbers
// may have white space, a sign and zeros in front, and are cut to their bits;
// base64 may have anything after its padding; a string that came with a NUL in
// it ends there. Tests hold all of it against the real one. The difference is
// that strings have a limit, see [DefaultLimit].
//
// # What it never does
//
// It never writes a list that would arrive as another one: what an encoding
// cannot carry is an [EncodeError]. It never keeps what nobody asked for, nor
// reads past the end of a list in a way that loses a descriptor. It sets no
// deadlines, starts no goroutines and logs nothing.
package attrproto
