package bench

// A Goal is something that is to hold of our daemon.
type Goal struct {
	Name     string  `json:"name"`
	Measured float64 `json:"measured"` // the median of the rounds
	Limit    float64 `json:"limit"`
	AtLeast  bool    `json:"at_least"` // the limit is the least, not the most
}

// Met tells whether it does hold.
func (g Goal) Met() bool {
	if g.AtLeast {
		return g.Measured >= g.Limit
	}
	return g.Measured <= g.Limit
}

// loadGoals are limits of the ratio of a metric.
var loadGoals = []struct {
	name              string
	sessions, clients int
	metric            func(*Case) *Metric
	limit             float64
	atLeast           bool
}{
	{"CPU a cycle, nothing cached, 1 client", 0, 1, cpu, 0.60, false},
	{"CPU a cycle, nothing cached, 8 clients", 0, 8, cpu, 0.60, false},
	{"CPU a cycle, 10000 sessions, 1 client", 10000, 1, cpu, 0.18, false},
	{"CPU a cycle, 10000 sessions, 8 clients", 10000, 8, cpu, 0.18, false},
	{"cycles a second, nothing cached, 1 client", 0, 1, rate, 1.5, true},
	{"cycles a second, nothing cached, 8 clients", 0, 8, rate, 1.5, true},
	{"latency p99, nothing cached, 1 client", 0, 1, p99, 1.0, false},
	{"latency p99, nothing cached, 8 clients", 0, 8, p99, 1.0, false},
	{"resident memory, nothing cached", 0, 8, memory, 1.0, false},
	{"resident memory, 10000 sessions", 10000, 8, memory, 1.0, false},
}

func cpu(c *Case) *Metric    { return c.CPU }
func rate(c *Case) *Metric   { return c.Rate }
func p99(c *Case) *Metric    { return c.P99 }
func memory(c *Case) *Metric { return c.Memory }

// judge compares what was measured with the goals.
func (r *Report) judge() {
	add := func(name string, s Series, limit float64, atLeast bool) {
		if len(s) > 0 {
			r.Goals = append(r.Goals, Goal{Name: name, Measured: s.Median(), Limit: limit, AtLeast: atLeast})
		}
	}
	for _, g := range loadGoals {
		if c := r.find(load{g.sessions, g.clients, 0}); c != nil {
			add(g.name+", to the reference", g.metric(c).Ratio(), g.limit, g.atLeast)
		}
	}
	if none, many := r.find(load{0, 1, 0}), r.find(load{18000, 1, 0}); none != nil && many != nil {
		add("CPU a cycle, 18000 sessions, to that with nothing cached", many.CPU.Ours.over(none.CPU.Ours), 1.10, false)
	}
	if r.Expiry != nil {
		add("longest cycle while 10000 sessions expire, ms", r.Expiry.Ours, 20, false)
	}
	if r.Startup != nil {
		add("start to greeting, ms", r.Startup.Ours, 20, false)
	}
	if r.Mail != nil {
		add("messages a second through Postfix, to the reference", r.Mail.Ratio(), 1.0, true)
	}
}
