package bench

import (
	"encoding/json"
	"fmt"
	"time"
)

// A Goal is something that is to hold of our daemon: of the ratio to the
// reference, unless the name says something else.
type Goal struct {
	Name     string  `json:"name"`
	Measured Series  `json:"measured"` // its median counts
	Limit    float64 `json:"limit"`
	AtLeast  bool    `json:"at_least"` // the limit is the least, not the most
}

// Met tells whether it does hold.
func (g Goal) Met() bool {
	if g.AtLeast {
		return g.Measured.Median() >= g.Limit
	}
	return g.Measured.Median() <= g.Limit
}

// MarshalJSON writes the goal and whether it holds.
func (g Goal) MarshalJSON() ([]byte, error) {
	type plain Goal
	return json.Marshal(struct {
		plain
		Met bool `json:"met"`
	}{plain(g), g.Met()})
}

// loadGoals are limits for loads without pauses.
var loadGoals = []struct {
	sessions, clients int
	metric            func(*Case) *Metric
	limit             float64
	atLeast           bool
}{
	{0, 1, cpu, 0.62, false},
	{0, 8, cpu, 0.62, false},
	{10000, 1, cpu, 0.18, false},
	{10000, 8, cpu, 0.18, false},
	{0, 1, rate, 1.5, true},
	{0, 8, rate, 1.5, true},
	{0, 1, p99, 1, false},
	{0, 8, p99, 1, false},
	{0, 8, memory, 1, false},
	{10000, 8, memory, 1, false},
}

func cpu(c *Case) *Metric    { return c.CPU }
func rate(c *Case) *Metric   { return c.Rate }
func p50(c *Case) *Metric    { return c.P50 }
func p99(c *Case) *Metric    { return c.P99 }
func memory(c *Case) *Metric { return c.Memory }

// The limits for loads with pauses: for each of them, and for the average of
// those of one client.
const (
	pauseLimit        = 1.0
	pauseAverageLimit = 0.9
)

// nothing is a percentage, or a number of context switches a second, that rounds
// to 0.0.
const nothing = 0.05

// judge compares what was measured with the goals.
func (r *Report) judge() {
	r.Goals = nil
	for _, g := range loadGoals {
		l := load{g.sessions, g.clients, 0}
		if c := r.find(l); c != nil {
			r.judgeRatio(g.metric(c), l.String(), g.limit, g.atLeast)
		}
	}
	if none, many := r.find(load{0, 1, 0}), r.find(load{18000, 1, 0}); none != nil && many != nil {
		r.addGoal("CPU a cycle, 18000 sessions, to our own with none", many.CPU.Ours.over(none.CPU.Ours), 1.10, false)
	}
	r.judgePauses()
	if q := r.Quiet; q != nil {
		r.addGoal("CPU while nothing happens, %, ours", q.CPU.Ours, nothing, false)
		r.addGoal("context switches a second while nothing happens, ours", q.Switches.Ours, nothing, false)
	}
	if r.Expiry != nil {
		r.addGoal("longest cycle while 10000 sessions expire, ms, ours", r.Expiry.Ours, 20, false)
	}
	if s := r.Startup; s != nil {
		r.judgeRatio(s.Record, "", 1, false)
		r.addGoal("start to greeting, ms, ours", s.Greeting.Ours, 20, false)
	}
	if m := r.Mail; m != nil {
		r.judgeRatio(m.Rate, m.String(), 1, true)
	}
	if m := r.Paced; m != nil {
		r.judgeRatio(m.CPU, m.String(), 1, false)
	}
}

// judgePauses judges the loads with pauses on an empty cache, which is the worst
// case for us.
func (r *Report) judgePauses() {
	var ratios Series // of one client
	for _, c := range r.Load {
		if c.Pause == 0 || c.Sessions > 0 {
			continue
		}
		for _, of := range []func(*Case) *Metric{cpu, p50, p99} {
			r.judgeRatio(of(c), c.load.String(), pauseLimit, false)
		}
		if ratio := c.CPU.Ratio(); c.Clients == 1 && c.Pause >= time.Millisecond && len(ratio) > 0 {
			ratios = append(ratios, ratio.Median())
		}
	}
	if len(ratios) > 0 {
		r.addGoal(fmt.Sprintf("CPU a cycle, average of %d pauses", len(ratios)), Series{ratios.Mean()}, pauseAverageLimit, false)
	}
}

func (r *Report) judgeRatio(m *Metric, of string, limit float64, atLeast bool) {
	name := m.Name
	if of != "" {
		name += ", " + of
	}
	r.addGoal(name, m.Ratio(), limit, atLeast)
}

func (r *Report) addGoal(name string, s Series, limit float64, atLeast bool) {
	if len(s) > 0 {
		r.Goals = append(r.Goals, Goal{Name: name, Measured: s, Limit: limit, AtLeast: atLeast})
	}
}
