// Package attrproto speaks the protocol by which Postfix daemons exchange
// lists of named attributes over local stream sockets.
package attrproto
