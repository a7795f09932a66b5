package daemon

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"scache/attrproto"
)

// recordLimit is how much of a text goes into a record for syslog or postlog,
// in bytes and without the label (src/util/msg_syslog.c, src/util/msg_logger.c).
const recordLimit = 2000

// A Log writes lines to syslog or to Postfix's own log service, and to standard
// error with -V. It is ready before main.cf has been read and changes its
// destination afterwards.
//
// Nobody ever waits for a log service or for standard error, but for at most a
// second at the end of the process. What cannot be written at once is written
// later, as far as there is room for it; how many lines were lost is said, once a
// second at most, when there is somebody to say it to.
//
// The methods may be called from any goroutine.
type Log struct {
	pid  int
	now  func() time.Time
	wait func(time.Duration) // before a fatal exit
	exit func(status int)

	mu       sync.Mutex // never held while somebody is waited for
	tag      string     // "postfix/scached"
	host     string     // postlog only: the first label of myhostname
	postlog  bool       // records are for postlogd(8), not for syslog
	facility int
	utf8     bool
	stderr   *stderrWriter // nil without -V
	name     string        // tag of the lines on standard error
	sock     logSocket
	backlog  backlog
	text     []byte // the line at hand, printable
	record   []byte // the same with all that goes before it

	lost     int       // lines that nobody was told of
	admitted time.Time // when it was last said that lines were lost
	deadline time.Time // of the last lines; zero before them
	exiting  atomic.Bool
}

func newLog() *Log {
	return &Log{
		pid:      os.Getpid(),
		now:      time.Now,
		wait:     pause,
		exit:     os.Exit,
		facility: facilityMail,
		sock:     logSocket{fd: -1},
	}
}

// Info logs a line without a label.
func (l *Log) Info(text string) { l.write(info, text) }

// Warning logs a line that begins with "warning: ".
func (l *Log) Warning(text string) { l.write(warning, text) }

// Error logs a line that begins with "error: ". Unlike the reference's, it does
// not end the process at the thirteenth.
func (l *Log) Error(text string) { l.write(failure, text) }

// Fatal logs a line that begins with "fatal: ", waits a second so that master(8)
// does not spin, and ends the process with status 1 (src/util/msg.c). Only the
// first one is logged.
func (l *Log) Fatal(text string) {
	if !l.exiting.Swap(true) {
		l.LastLines()
		l.write(fatal, text)
	}
	l.wait(time.Second)
	l.exit(1)
}

// useSyslog sends records to the syslog socket at path from now on.
func (l *Log) useSyslog(tag, path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tag, l.postlog = tag, false
	l.open(path)
}

// usePostlog sends records to Postfix's log service at path from now on.
func (l *Log) usePostlog(tag, host, path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.host, _, _ = strings.Cut(host, ".")
	l.tag, l.postlog = tag, true
	l.open(path)
}

// open connects to another service, or to the same one again. What was for the
// old one has another form and is lost.
func (l *Log) open(path string) {
	for path != l.sock.path && !l.backlog.empty() {
		l.backlog.drop()
		l.lost++
	}
	l.sock.open(path)
}

// useStderr sends lines to fd, too. It borrows the descriptor.
func (l *Log) useStderr(tag string, fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name = tag
	if l.stderr == nil {
		l.stderr = newStderrWriter(fd)
	}
}

// reachAt sets the path for the next time that the socket has to be connected
// again. The one that was used so far may be out of reach in a jail.
func (l *Log) reachAt(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sock.setPath(path)
}

// setUTF8 says whether what looks like UTF-8 is printable.
func (l *Log) setUTF8(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.utf8 = on
}

// LastLines says that the process is about to end: what has been logged so far,
// and what is logged from now on, may wait a second in all for a log service that
// is busy, which postlogd(8) is while "postfix reload" starts it anew, and for
// standard error.
func (l *Log) LastLines() {
	l.mu.Lock()
	l.deadline = time.Now().Add(time.Second)
	l.admitted = time.Time{}
	l.mu.Unlock()
	l.awaitWritten()
}

func (l *Log) write(s severity, text string) {
	if l.enter(s, text) {
		l.awaitWritten()
	}
}

// awaitWritten waits until all is written, or the deadline has passed.
func (l *Log) awaitWritten() {
	l.flushPatiently()
	l.stderr.drain(l.deadline)
}

// enter reports whether the line is one of the last.
func (l *Log) enter(s severity, text string) (last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.admitLoss()
	l.text = append(l.text[:0], text...)
	l.text = printable(l.text, l.utf8)
	if !l.send(s) {
		l.lost++
	}
	if l.stderr != nil {
		l.stderr.write(l.name, s.label(), l.text)
	}
	return !l.deadline.IsZero()
}

// admitLoss says how many lines were lost, if any, no more than once a second.
func (l *Log) admitLoss() {
	lost, now := l.lost, l.now()
	if lost == 0 || now.Sub(l.admitted) < time.Second {
		return
	}
	l.text = append(l.text[:0], "log lines lost: "...)
	l.text = strconv.AppendInt(l.text, int64(lost), 10)
	if l.send(warning) {
		l.lost, l.admitted = 0, now
	}
}

// printable replaces, in place, what is not printable by question marks. UTF-8
// is not unless smtputf8_enable says so.
func printable(text []byte, utf8 bool) []byte {
	for i, c := range text {
		if c >= 0x80 && !utf8 {
			text[i] = '?'
		}
	}
	return attrproto.Printable(text)
}

// send makes a record of l.text and sends it to the log service.
func (l *Log) send(s severity) bool {
	r := l.record[:0]
	if l.postlog {
		r = l.now().AppendFormat(r, "Jan 02 15:04:05 ")
		r = append(r, l.host...)
		r = append(r, ' ')
	} else {
		r = append(r, '<')
		r = strconv.AppendInt(r, int64(l.facility)|int64(s), 10)
		r = append(r, '>')
		r = l.now().AppendFormat(r, "Jan _2 15:04:05 ")
	}
	r = append(r, l.tag...)
	// A tag that comes with a process number does not get a second one from
	// syslog (src/util/msg_syslog.c).
	if l.postlog || strings.IndexByte(l.tag, '[') < 0 {
		r = append(r, '[')
		r = strconv.AppendInt(r, int64(l.pid), 10)
		r = append(r, ']')
	}
	r = append(r, ": "...)
	r = append(r, s.label()...)
	r = append(r, l.text[:min(len(l.text), recordLimit)]...)
	l.record = r
	return l.deliver(r)
}
