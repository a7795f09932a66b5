package master

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// A stderrReader adds the lines of a daemon's standard error to a log.
type stderrReader struct {
	file *os.File // owned
	log  *Log

	mu      sync.Mutex
	partial []byte // a line without its end
	buf     [16 << 10]byte
}

// run reads until standard error ends, closes it, and then done.
func (r *stderrReader) run(done chan<- struct{}) {
	defer close(done)
	defer r.file.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		n, err := r.file.Read(r.buf[:])
		r.add(r.buf[:n])
		if err != nil {
			break
		}
	}
	if len(r.partial) > 0 {
		r.add([]byte("\n"))
	}
}

// collect reads what is there.
func (r *stderrReader) collect() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		n, err := r.file.Read(r.buf[:])
		r.add(r.buf[:n])
		if err != nil {
			return
		}
	}
}

func (r *stderrReader) add(data []byte) {
	for {
		line, rest, found := bytes.Cut(data, []byte("\n"))
		if !found {
			r.partial = append(r.partial, data...)
			return
		}
		r.log.add(parseStderrLine(string(append(r.partial, line...))))
		r.partial, data = r.partial[:0], rest
	}
}

// A DatagramLog is a socket that daemons log to, a datagram for each line. It goes
// on until [DatagramLog.Close].
type DatagramLog struct {
	conn  *net.UnixConn
	path  string
	parse func(string) LogLine
	log   *Log
	done  chan struct{}
}

// endOfLog is what Close sends to itself, so that all that was sent before is
// read. No daemon logs such a line.
const endOfLog = "\x00"

// listenDatagramLog makes the socket and adds every line to log.
func listenDatagramLog(path string, parse func(string) LogLine, log *Log) (*DatagramLog, error) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("make log socket: %w", err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		conn.Close()
		return nil, fmt.Errorf("make log socket: %w", err)
	}
	d := &DatagramLog{conn: conn, path: path, parse: parse, log: log, done: make(chan struct{})}
	go d.read()
	return d, nil
}

func (d *DatagramLog) read() {
	defer close(d.done)
	buf := make([]byte, 64*1024)
	for {
		n, err := d.conn.Read(buf)
		if err != nil || string(buf[:n]) == endOfLog {
			return
		}
		d.log.add(d.parse(string(bytes.TrimRight(buf[:n], "\n\x00"))))
	}
}

// Close returns when everything sent before it has been read, and removes the
// socket.
func (d *DatagramLog) Close() {
	if err := d.sendEnd(); err == nil {
		<-d.done
	}
	d.conn.Close()
	<-d.done
	os.Remove(d.path)
}

func (d *DatagramLog) sendEnd() error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: d.path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, endOfLog)
	return err
}

// OpenSyslog makes a syslog socket in the directory top, adds what comes to log,
// and lets cmd find the socket as /dev/log, which needs a mount namespace: without
// the right to make one the error is [ErrNoMount]. The caller closes the socket.
func OpenSyslog(cmd *Command, top string, log *Log) (*DatagramLog, error) {
	if !MayMount() {
		return nil, ErrNoMount
	}
	dev := filepath.Join(top, "dev")
	if err := os.Mkdir(dev, 0o755); err != nil {
		return nil, err
	}
	socket, err := listenDatagramLog(filepath.Join(dev, "log"), parseSyslogLine, log)
	if err != nil {
		return nil, err
	}
	if err := cmd.ownDev(dev); err != nil {
		socket.Close()
		return nil, err
	}
	return socket, nil
}
