package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ReadReport reads what [Report.WriteJSON] wrote.
func ReadReport(r io.Reader) (*Report, error) {
	var report Report
	if err := json.NewDecoder(r).Decode(&report); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	return &report, nil
}

// Join makes one report of several that were measured one after the other, with
// the same programs on the same machine: of different parts, or of more rounds.
// The reports are not to be used afterwards.
func Join(reports ...*Report) (*Report, error) {
	if len(reports) == 0 {
		return nil, errors.New("join reports: there are none")
	}
	all := reports[0]
	for _, other := range reports[1:] {
		if err := all.join(other); err != nil {
			return nil, fmt.Errorf("join reports: %w", err)
		}
	}
	all.judge()
	return all, nil
}

func (r *Report) join(other *Report) error {
	switch {
	case r.Scached.SHA256 != other.Scached.SHA256 || r.Reference.SHA256 != other.Reference.SHA256:
		return errors.New("they are not of the same programs")
	case r.Machine.Processor != other.Machine.Processor || r.Machine.Kernel != other.Machine.Kernel:
		return errors.New("they are not of the same machine")
	}
	for _, c := range other.Load {
		if same := r.find(c.load); same != nil {
			joinMetrics(same.metrics(), c.metrics())
		} else {
			r.Load = append(r.Load, c)
		}
	}
	slices.SortStableFunc(r.Load, func(a, b *Case) int { return a.load.compare(b.load) })
	joinPart(&r.Quiet, other.Quiet, (*Quiet).metrics)
	joinPart(&r.Expiry, other.Expiry, func(m *Metric) []*Metric { return []*Metric{m} })
	joinPart(&r.Startup, other.Startup, (*Startup).metrics)
	joinPart(&r.Mail, other.Mail, (*Mail).metrics)
	joinPart(&r.Paced, other.Paced, (*Mail).metrics)
	for _, note := range other.Notes {
		if !slices.Contains(r.Notes, note) {
			r.Notes = append(r.Notes, note)
		}
	}
	return nil
}

// joinPart joins a part of a report that may be in both.
func joinPart[T any](part **T, other *T, metrics func(*T) []*Metric) {
	switch {
	case other == nil:
	case *part == nil:
		*part = other
	default:
		joinMetrics(metrics(*part), metrics(other))
	}
}

func joinMetrics(metrics, others []*Metric) {
	for i, m := range metrics {
		m.join(others[i])
	}
}
