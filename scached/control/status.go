package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"scache/attrproto"
	"scache/scached/protocol"
)

// A Status is what a server tells about itself.
type Status struct {
	Version string
	Dialect string // scached_protocol_version
	PID     int
	Start   time.Time
	Metrics []Metric // sorted by name and labels
}

// A Metric is one number. Names are those of package protocol's counters, without
// a prefix.
type Metric struct {
	Name   string
	Labels map[string]string // nil for none
	Value  uint64
}

// Status asks for the state and the counters of the server.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	t, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer t.conn.Close()
	table := map[string]string{}
	if err = t.ask(ctx, protocol.RequestStatus); err == nil {
		_, err = t.in.Scan(0, attrproto.HashVar(table))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Path, because(ctx, err))
	}
	return newStatus(table)
}

func newStatus(table map[string]string) (*Status, error) {
	s := &Status{Version: table["version"], Dialect: table["dialect"]}
	if s.Version == "" {
		return nil, fmt.Errorf("the answer to %s has no version", protocol.RequestStatus)
	}
	s.PID, _ = strconv.Atoi(table["pid"])
	for _, name := range slices.Sorted(maps.Keys(table)) {
		value, err := strconv.ParseUint(table[name], 10, 64)
		if name == "version" || name == "dialect" || name == "pid" || err != nil {
			continue // what later versions tell is not ours to understand
		}
		if name == "start_time_seconds" {
			s.Start = time.Unix(int64(value), 0)
		}
		if m, ok := parseMetric(name); ok {
			m.Value = value
			s.Metrics = append(s.Metrics, m)
		}
	}
	return s, nil
}

// parseMetric takes a name apart that has its labels with it, in the text format
// of Prometheus.
func parseMetric(text string) (m Metric, ok bool) {
	name, rest, labelled := strings.Cut(text, "{")
	m.Name = name
	if !labelled {
		return m, name != ""
	}
	m.Labels = map[string]string{}
	for rest != "}" {
		label, quoted, found := strings.Cut(rest, "=")
		if !found {
			return m, false
		}
		prefix, err := strconv.QuotedPrefix(quoted)
		if err != nil {
			return m, false
		}
		if m.Labels[label], err = strconv.Unquote(prefix); err != nil {
			return m, false
		}
		rest = strings.TrimPrefix(quoted[len(prefix):], ",")
		if rest == "" {
			return m, false
		}
	}
	return m, true
}

// Sum adds up all metrics of that name whose labels have these values, which come
// in pairs.
func (s *Status) Sum(name string, labels ...string) (sum uint64) {
	for _, m := range s.Metrics {
		if m.Name == name && m.has(labels) {
			sum += m.Value
		}
	}
	return sum
}

func (m *Metric) has(labels []string) bool {
	for pair := range slices.Chunk(labels, 2) {
		if m.Labels[pair[0]] != pair[1] {
			return false
		}
	}
	return true
}

// Values are the metrics of that name by the value of one label.
func (s *Status) Values(name, label string) map[string]uint64 {
	values := map[string]uint64{}
	for _, m := range s.Metrics {
		if m.Name == name {
			values[m.Labels[label]] += m.Value
		}
	}
	return values
}

// String is the name with its labels, in the text format of Prometheus.
func (m Metric) String() string {
	if len(m.Labels) == 0 {
		return m.Name
	}
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(m.Labels)) {
		labels = append(labels, name+"="+strconv.Quote(m.Labels[name]))
	}
	return m.Name + "{" + strings.Join(labels, ",") + "}"
}
