package bench

import (
	"encoding/json"
	"slices"
)

// A Series is what a figure was in each round.
type Series []float64

// Median is the one in the middle; 0 if there is none.
func (s Series) Median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// Min and Max are the spread; 0 if there is none.
func (s Series) Min() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Min(s)
}

func (s Series) Max() float64 {
	if len(s) == 0 {
		return 0
	}
	return slices.Max(s)
}

// Mean is the average; 0 if there is none.
func (s Series) Mean() (mean float64) {
	for _, value := range s {
		mean += value / float64(len(s))
	}
	return mean
}

// over divides each round's figure by another one's of the same round.
func (s Series) over(other Series) Series {
	var ratio Series
	for i := range min(len(s), len(other)) {
		if other[i] != 0 {
			ratio = append(ratio, s[i]/other[i])
		}
	}
	return ratio
}

// MarshalJSON writes the rounds and what they come to.
func (s Series) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Median float64   `json:"median"`
		Min    float64   `json:"min"`
		Max    float64   `json:"max"`
		Rounds []float64 `json:"rounds"`
	}{s.Median(), s.Min(), s.Max(), s})
}

// UnmarshalJSON reads the rounds.
func (s *Series) UnmarshalJSON(data []byte) error {
	var written struct{ Rounds []float64 }
	err := json.Unmarshal(data, &written)
	*s = written.Rounds
	return err
}

// A Metric is a figure of both daemons, round by round.
type Metric struct {
	Name      string `json:"name"`
	Unit      string `json:"unit"`
	Ours      Series `json:"ours"`
	Reference Series `json:"reference,omitempty"` // empty when there is no reference
}

// Ratio is ours to the reference's, of the same round.
func (m *Metric) Ratio() Series { return m.Ours.over(m.Reference) }

// MarshalJSON writes the metric with its ratio.
func (m *Metric) MarshalJSON() ([]byte, error) {
	type plain Metric
	return json.Marshal(struct {
		*plain
		Ratio Series `json:"ratio,omitempty"`
	}{(*plain)(m), m.Ratio()})
}

// add books a figure of one of the two.
func (m *Metric) add(s *subject, value float64) {
	if s.reference {
		m.Reference = append(m.Reference, value)
	} else {
		m.Ours = append(m.Ours, value)
	}
}

// join appends another report's rounds.
func (m *Metric) join(other *Metric) {
	m.Ours = append(m.Ours, other.Ours...)
	m.Reference = append(m.Reference, other.Reference...)
}
