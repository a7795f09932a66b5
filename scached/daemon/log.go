package daemon

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"scache/attrproto"
)

// recordLimit is how much of a text goes into a record for syslog or postlog,
// in bytes and without the label (src/util/msg_syslog.c, src/util/msg_logger.c).
const recordLimit = 2000

// A Log writes lines to syslog or to Postfix's own log service, and to standard
// error with -V. It is ready before main.cf has been read and changes its
// destination afterwards.
//
// A log service that is slow, stuck or gone costs the caller at most a tenth of
// a second in any second, and lines; how many lines were lost is said,
// once a second at most, when there is somebody to say it to.
//
// The methods may be called from any goroutine.
type Log struct {
	pid  int
	now  func() time.Time
	wait func(time.Duration) // before a fatal exit
	exit func(status int)

	mu       sync.Mutex
	tag      string // "postfix/scached"
	host     string // postlog only: the first label of myhostname
	postlog  bool   // records are for postlogd(8), not for syslog
	facility int
	utf8     bool
	stderrFD int    // borrowed; -1 without -V
	stderr   string // tag of the lines on standard error
	muted    bool   // standard error takes nothing
	sock     logSocket
	text     []byte // the line at hand, printable
	record   []byte // the same with all that goes before it

	flood     floodGate
	confessed time.Time // when it was last said that lines were lost
	exiting   atomic.Bool
}

func newLog() *Log {
	return &Log{
		pid:      os.Getpid(),
		now:      time.Now,
		wait:     time.Sleep,
		exit:     os.Exit,
		facility: facilityMail,
		stderrFD: -1,
		sock:     logSocket{fd: -1, patience: logPatience},
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
	l.sock.open(path)
}

// usePostlog sends records to Postfix's log service at path from now on.
func (l *Log) usePostlog(tag, host, path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.host, _, _ = strings.Cut(host, ".")
	l.tag, l.postlog = tag, true
	l.sock.open(path)
}

// useStderr sends lines to fd, too. It borrows the descriptor.
func (l *Log) useStderr(tag string, fd int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stderr, l.stderrFD = tag, fd
}

// reachAt sets the path for the next time that the socket has to be connected
// again. The one that was used so far may be out of reach in a jail.
func (l *Log) reachAt(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sock.setPath(path)
}

// LimitWarnings sets how many warnings a second are logged, 0 for any number.
func (l *Log) LimitWarnings(perSecond int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flood = floodGate{perSecond: perSecond}
}

// Flooded tells whether warnings are held back, so many have there been.
func (l *Log) Flooded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flood.shut()
}

// setUTF8 says whether what looks like UTF-8 is printable.
func (l *Log) setUTF8(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.utf8 = on
}

// LastLines says that the process is about to end: what is logged from now on
// may wait a second for a log service that is busy, which postlogd(8) is while
// "postfix reload" starts it anew.
func (l *Log) LastLines() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sock.lastChance()
	l.confessed = time.Time{}
}

func (l *Log) write(s severity, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == fatal {
		l.sock.lastChance()
	}
	if s == warning && !l.flood.allow(l.now()) {
		l.sock.lost++
		return
	}
	l.confess()
	l.text = append(l.text[:0], text...)
	l.text = printable(l.text, l.utf8)
	if !l.send(s) {
		l.sock.lost++
	}
	l.print(s)
}

// confess says how many lines were lost, if any, no more than once a second.
func (l *Log) confess() {
	lost, now := l.sock.lost, l.now()
	if lost == 0 || now.Sub(l.confessed) < time.Second {
		return
	}
	l.text = append(l.text[:0], "log lines lost: "...)
	l.text = strconv.AppendInt(l.text, int64(lost), 10)
	if l.send(warning) {
		l.sock.lost, l.confessed = 0, now
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
	return l.sock.send(r)
}

// print writes l.text to standard error. A pipe that is ready takes a page
// without blocking, so nothing longer is written at once.
func (l *Log) print(s severity) {
	if l.stderrFD < 0 {
		return
	}
	r := append(l.record[:0], l.stderr...)
	r = append(r, ": "...)
	r = append(r, s.label()...)
	r = append(r, l.text...)
	r = append(r, '\n')
	l.record = r
	const page = 4096
	for len(r) > 0 {
		patience := logPatience
		if l.muted {
			patience = 0
		}
		if l.muted = !writable(l.stderrFD, patience); l.muted {
			return
		}
		n, err := retry(func() (int, error) {
			return unix.Write(l.stderrFD, r[:min(len(r), page)])
		})
		if err != nil {
			return
		}
		r = r[n:]
	}
}
