package control

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMetric(t *testing.T) {
	for text, want := range map[string]Metric{
		"sessions": {Name: "sessions"},
		`lookups_total{kind="endpoint",result="hit"}`:   {Name: "lookups_total", Labels: map[string]string{"kind": "endpoint", "result": "hit"}},
		`transport_sessions{transport="a\"b\\c,d\ne}"}`: {Name: "transport_sessions", Labels: map[string]string{"transport": "a\"b\\c,d\ne}"}},
	} {
		got, ok := parseMetric(text)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%s: %v (-want +got):\n%s", text, ok, diff)
		}
		if got.String() != text {
			t.Errorf("%s became %s", text, got)
		}
	}
	for _, text := range []string{"", "a{", "a{b", `a{b="`, `a{b="c"`, `a{b="c",`, `a{b=c}`} {
		if got, ok := parseMetric(text); ok {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

func TestSum(t *testing.T) {
	s, err := newStatus(map[string]string{"version": "1", "pid": "4711", "start_time_seconds": "1700000000", "later": "words",
		`a{k="x",r="1"}`: "1", `a{k="x",r="2"}`: "2", `a{k="y",r="1"}`: "4"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Sum("a") != 7 || s.Sum("a", "k", "x") != 3 || s.Sum("a", "k", "x", "r", "1") != 1 || s.Sum("b") != 0 {
		t.Errorf("sums of %+v", s.Metrics)
	}
	if diff := cmp.Diff(map[string]uint64{"1": 5, "2": 2}, s.Values("a", "r")); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if s.Start.Unix() != 1700000000 || s.PID != 4711 {
		t.Errorf("%+v", s)
	}
	if _, err := newStatus(map[string]string{"dialect": "3.6"}); err == nil {
		t.Error("an answer without a version is taken")
	}
}
