package diff

import (
	"context"
	"errors"
	"testing"
)

// A difference in what daemons have counted is there to be saved when it is seen, even
// if the run is interrupted then; and what is saved shows it again.
func TestFoundAtOnce(t *testing.T) {
	t.Parallel()
	mutant := buildMutant(t, "scached/protocol/request.go", "lookups.Misses[why]++", "_ = lookups.Misses[why]")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var files []string
	_, err := Run(ctx, Options{
		Programs: Programs{Reference: reference(t), Ours: mutant}, Random: 40, Seed: 1,
		Found: func(stage Stage, f Finding) {
			if stage != Seen || len(f.Together) < 2 || files != nil {
				return
			}
			if what := f.Differences[0].What; what != "statistics" {
				t.Errorf("%s: the difference is in the %s", f.Transcript.Name, what)
			}
			var err error
			if files, err = f.Save(t.TempDir()); err != nil {
				t.Error(err)
			}
			interrupt()
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the run ends with %v", err)
	}
	if files == nil {
		t.Fatal("nothing is found")
	}
	list, err := ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		program string
		want    int
	}{{mutant, 1}, {ours(t), 0}} {
		report, err := Run(t.Context(), Options{Programs: Programs{Reference: reference(t), Ours: test.program}, Transcripts: list, Together: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(report.Unnamed()); got != test.want {
			t.Errorf("%d transcripts played together: %d differences, want %d", len(list), got, test.want)
		}
	}
}

// Few of many transcripts show a difference in what daemons have counted.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	mutant := buildMutant(t, "scached/protocol/request.go", "lookups.Misses[why]++", "_ = lookups.Misses[why]")
	stages := make(map[Stage]int)
	report, err := Run(t.Context(), Options{
		Programs: Programs{Reference: reference(t), Ours: mutant}, Random: 40, Seed: 1,
		Found: func(stage Stage, f Finding) { stages[stage]++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	found := report.Unnamed()
	if n := len(found); n == 0 || stages[Seen] != n || stages[Confirmed] != n || report.Clean() {
		t.Errorf("%d differences, told %v", n, stages)
	}
	for _, f := range found {
		if len(f.Together) != 1 {
			t.Errorf("%s: %d transcripts are left", f.Transcript.Name, len(f.Together))
		}
	}
}
