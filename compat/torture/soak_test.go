package torture

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSoak(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := Soak(t.Context(), SoakOptions{Program: ours(t), Duration: 4 * time.Second, Pause: time.Millisecond, Out: &out}); err != nil {
		t.Errorf("%v:\n%s", err, &out)
	}
	t.Logf("\n%s", &out)
}

func TestGrown(t *testing.T) {
	flat := func(n int, memory int64) []vitals {
		history := make([]vitals, n)
		for i := range history {
			history[i].memory = memory
		}
		return history
	}
	rising := flat(24, 0)
	for i := range rising {
		rising[i].memory = int64(i) << 20
	}
	for _, test := range []struct {
		name    string
		history []vitals
		grown   bool
	}{
		{"nothing", nil, false},
		{"flat", flat(24, 8<<20), false},
		{"large at first", append(flat(6, 0), flat(18, 100<<20)...), false},
		{"a peak", append(flat(23, 8<<20), flat(1, 100<<20)...), false},
		{"rising", rising, true},
		{"a step", append(flat(12, 8<<20), flat(12, 20<<20)...), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := grown(test.history); errors.Is(err, ErrGrown) != test.grown {
				t.Errorf("got %v, want growth %v", err, test.grown)
			}
		})
	}
}
