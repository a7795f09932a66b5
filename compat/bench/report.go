package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Report is what was measured.
type Report struct {
	Date      time.Time `json:"date"`
	Machine   Machine   `json:"machine"`
	Scached   Program   `json:"scached"`
	Reference Program   `json:"reference,omitzero"`

	Load    []*Case  `json:"load,omitempty"`
	Quiet   *Quiet   `json:"quiet,omitempty"`
	Expiry  *Metric  `json:"expiry,omitempty"`
	Startup *Startup `json:"startup,omitempty"`
	Size    *Metric  `json:"size,omitempty"`
	Mail    *Mail    `json:"mail,omitempty"`
	Paced   *Mail    `json:"paced_mail,omitempty"`
	Goals   []Goal   `json:"goals"`
	// Notes say what could not be measured, and why.
	Notes []string `json:"notes,omitempty"`
}

// A Program is a daemon that was measured.
type Program struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // of its file
}

func programAt(path string) (Program, error) {
	data, err := os.ReadFile(path)
	return Program{Path: path, SHA256: fmt.Sprintf("%x", sha256.Sum256(data))}, err
}

// A Case is a load and what came of it. A cycle is four requests; latencies are
// those of a request.
type Case struct {
	load
	CPU      *Metric `json:"cpu_per_cycle"`
	Switches *Metric `json:"context_switches_per_cycle"`
	Rate     *Metric `json:"cycles_per_second"`
	P50      *Metric `json:"latency_p50"`
	P99      *Metric `json:"latency_p99"`
	Max      *Metric `json:"latency_max"`
	Memory   *Metric `json:"resident"`
	Calls    *Metric `json:"system_calls_per_cycle"`
}

func newCase(l load) *Case {
	return &Case{
		load:     l,
		CPU:      &Metric{Name: "CPU a cycle", Unit: "µs"},
		Switches: &Metric{Name: "context switches a cycle"},
		Rate:     &Metric{Name: "cycles a second", Unit: "/s"},
		P50:      &Metric{Name: "request p50", Unit: "µs"},
		P99:      &Metric{Name: "request p99", Unit: "µs"},
		Max:      &Metric{Name: "request max", Unit: "µs"},
		Memory:   &Metric{Name: "resident", Unit: "MB"},
		Calls:    &Metric{Name: "system calls a cycle"},
	}
}

func (c *Case) metrics() []*Metric {
	return []*Metric{c.CPU, c.Switches, c.Rate, c.P50, c.P99, c.Max, c.Memory, c.Calls}
}

// find returns a case of the load; nil if it was not measured.
func (r *Report) find(l load) *Case {
	for _, c := range r.Load {
		if c.load == l {
			return c
		}
	}
	return nil
}

// A Machine is where it was measured.
type Machine struct {
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	Kernel     string `json:"kernel"`
	// Load is the load average when the measurement began: how idle it was.
	Load float64 `json:"load"`
}

func thisMachine() Machine {
	m := Machine{Processors: runtime.NumCPU(), Processor: "unknown processor"}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = string(bytes.TrimRight(name.Release[:], "\x00"))
	}
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			if field, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(field) == "model name" {
				m.Processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Sscan(string(data), &m.Load)
	}
	return m
}

// WriteJSON writes the report, every round of it.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
