package simulate

import (
	"strings"

	"scache/scached/server"
)

// An errand is a session that the server has lent to its kernel.
type errand struct {
	fd    int
	step  server.QuitStep
	began int64
	over  int64
	done  bool
}

const (
	// lingerTime is for how long a session may stay after QUIT.
	lingerTime = second + 500*ms
	// errandHangs is after how long an errand hangs.
	errandHangs = 100 * ms
)

// fromSMTP tells whether a property is one that smtp(8) saves. This package makes
// them in the form of Postfix 2.3.
func fromSMTP(property string) bool { return strings.HasSuffix(property, "\n0\n0") }

// Quit is part of server.Kernel.
func (w *world) Quit(fd int, step server.QuitStep) {
	w.call("quit %d, step %d", fd, step)
	d := w.get(fd, "quit")
	f, s := d.file, d.session
	if s != nil && s.state == cached && (w.model.relaxed || w.model.ending) {
		w.model.drop(s, shortage) // which the model could not know
	}
	switch {
	case s == nil || s.state != dropped && s.state != quitting:
		w.fail("QUIT is said to descriptor %d, %v, which was not dropped", fd, s)
	case d.sent:
		w.fail("QUIT is said to %v, which was handed over", s)
	case !fromSMTP(s.property):
		w.fail("QUIT is said to %v, which is none of smtp(8)", s)
	case f.kind == foreign || f.listener:
		w.fail("QUIT is said to %v, which is no connection", s)
	case step == server.QuitFinish && f.kind != tcp:
		w.fail("%v is shut down for writing, and is no TCP connection", s)
	case (step == server.QuitListen) != (s.state == quitting):
		w.fail("step %d of QUIT for %v, which has come so far", step, s)
	}
	w.model.quits(s)
	d.lent = true
	e := errand{fd: fd, step: step, began: w.now, over: w.now + w.rand.Int64N(100*us)}
	if w.rand.IntN(50) == 0 {
		e.over += w.rand.Int64N(second) // who else has the socket keeps it locked
	}
	w.errands = append(w.errands, e)
}

// QuitDone is part of server.Kernel.
func (w *world) QuitDone() (fd int, step server.QuitStep, done bool) {
	w.call("")
	for i, e := range w.errands {
		if e.over > w.now {
			continue
		}
		w.errands = append(w.errands[:i], w.errands[i+1:]...)
		d := w.table[e.fd]
		d.lent = false
		f := d.file
		if e.step == server.QuitListen {
			e.done = f.spoke
		} else if e.done = !f.dead(); e.done {
			w.answerQuit(f)
			d.session.droppedAt = w.now
		}
		if e.step == server.QuitListen && e.done {
			w.model.counts.quits++
		}
		w.say("  quit %d, step %d is over: %v", e.fd, e.step, e.done)
		return e.fd, e.step, e.done
	}
	return -1, 0, false
}

// answerQuit is what the remote end does.
func (w *world) answerQuit(f *file) {
	switch w.rand.IntN(4) {
	case 0: // nothing
	case 1:
		w.fates = append(w.fates, fate{at: w.now + w.rand.Int64N(1500*ms), file: f, ends: true})
	default:
		w.fates = append(w.fates, fate{at: w.now + w.rand.Int64N(10*ms), file: f, ends: true})
	}
}

// QuitProgress is part of server.Kernel.
func (w *world) QuitProgress() (lent, hanging int) {
	for _, e := range w.errands {
		if w.now-e.began > errandHangs {
			hanging++
		}
	}
	return len(w.errands), min(hanging, 3)
}

// finishErrands wakes the server when one is over.
func (w *world) finishErrands() {
	for i := range w.errands {
		if e := &w.errands[i]; e.over <= w.now && !e.done {
			e.done, w.woken = true, true
		}
	}
}

// quits notes that a session is on its way out, politely.
func (m *model) quits(s *session) {
	if s.state == dropped {
		m.forgetDropped(s)
		m.quitting = append(m.quitting, s)
		s.state = quitting
	}
}

// checkQuitting looks whether sessions that were sent QUIT are closed.
func (m *model) checkQuitting() {
	for _, s := range m.quitting {
		if m.w.now-s.droppedAt > lingerTime && !m.w.table[s.fd].lent && !m.hung() {
			m.w.fail("%v was sent QUIT, and is still open", s)
		}
	}
}

// hung tells that an errand hangs, for which others wait.
func (m *model) hung() bool {
	_, hanging := m.w.QuitProgress()
	return hanging > 0
}

// impolite tells whether a session is closed that should have been sent QUIT.
func (m *model) impolite(s *session) bool {
	if !m.w.plan.quit || m.ending || m.relaxed || s.state != dropped || !fromSMTP(s.property) {
		return false
	}
	f := s.file
	plain := f.kind == tcp && !f.listener && !f.linger && !f.upper || f.kind == local
	return plain && !f.dead() && (s.why == expired || s.why == limited || s.why == flushed) && !s.failed
}
