// Package top shows a connection cache at work: a screen of rates, and of the
// sessions by transport and by destination. [Run] shows it on a terminal until it
// is told to quit. What the screen says is made by a [Screen], which is given
// samples and keys and knows neither terminal nor clock. What clients have sent is
// escaped. The package changes nothing in the cache.
package top

import (
	"context"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"scache/scached/control"
	"scache/scached/operator"
)

// Options say what is shown, and where.
type Options struct {
	Client   *control.Client
	Interval time.Duration // between an answer and the next question
	In       io.Reader     // a terminal, like Out
	Out      io.Writer
}

// Run shows the screen until a key ends it or ctx does. It fails when the first
// question does; later ones that fail are shown.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &program{ctx: ctx, options: o, screen: Screen{Path: o.Client.Path, Interval: o.Interval}}
	first := p.sample()
	if first.Err != nil {
		return first.Err
	}
	p.screen.Add(first)
	_, err := tea.NewProgram(p, tea.WithContext(ctx), tea.WithoutSignalHandler(),
		tea.WithInput(o.In), tea.WithOutput(o.Out)).Run()
	return err
}

// A program is a screen on a terminal.
type program struct {
	ctx     context.Context
	options Options
	screen  Screen
	listing listing
}

// A listing is all sessions, as they were when the daemon was last asked for them.
type listing struct {
	sessions []operator.Session
	pid      int // of the daemon
	took     time.Duration
	at       time.Time // when it was complete
}

// rarely is how many times as long as it took the last listing is good for, so that
// the daemon lists for a small part of its time, however many sessions it holds.
const rarely = 20

// due says that it is time for the next question.
type due struct{}

// sample asks for the numbers, and for the sessions unless it has them from a short
// while ago.
func (p *program) sample() (s Sample) {
	s.Status, s.Err = p.options.Client.Status(p.ctx)
	s.At = time.Now()
	if l := &p.listing; s.Err == nil && (l.pid != s.Status.PID || s.At.Sub(l.at) >= rarely*l.took) {
		l.sessions, s.Err = operator.Sessions(p.ctx, p.options.Client, control.Filter{})
		l.pid, l.at = s.Status.PID, time.Now()
		l.took = l.at.Sub(s.At)
	}
	s.Sessions, s.Listed = p.listing.sessions, p.listing.at
	return s
}

func (p *program) wait() tea.Cmd {
	return tea.Tick(p.options.Interval, func(time.Time) tea.Msg { return due{} })
}

func (p *program) Init() tea.Cmd { return p.wait() }

func (p *program) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	switch m := m.(type) {
	case tea.WindowSizeMsg:
		p.screen.Width, p.screen.Height = m.Width, m.Height
	case tea.KeyPressMsg:
		if p.screen.Key(m.String(), m.Text) {
			return p, tea.Quit
		}
	case Sample:
		p.screen.Add(m)
		return p, p.wait()
	case due:
		if p.screen.Paused() {
			return p, p.wait()
		}
		return p, func() tea.Msg { return p.sample() }
	}
	return p, nil
}

func (p *program) View() tea.View {
	v := tea.NewView(p.screen.View())
	v.AltScreen = true
	return v
}
