package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func answers(a ...Answer) *Result {
	r := &Result{Alive: true}
	for _, answer := range a {
		r.Outcomes = append(r.Outcomes, Outcome{Answer: answer})
	}
	return r
}

const unaskedLine = "warning: disconnected 1 client that sent descriptors nobody asked for"

func TestCompare(t *testing.T) {
	send := Step{Do: Send, Data: []byte{0}, Descriptors: 2}
	none := &Result{Alive: true}
	log := func(lines ...string) *Result { return &Result{Alive: true, Log: lines} }
	const reason = "warning: scache_find_endp_service: cannot send file descriptor: "
	for _, test := range []struct {
		name            string
		transcript      Transcript
		reference, ours *Result
		want            []Difference
	}{
		{"the same", Transcript{}, answers(Answer{Data: []byte("a")}), answers(Answer{Data: []byte("a")}), nil},
		{"bytes", Transcript{}, answers(Answer{}, Answer{Data: []byte("a\x000")}), answers(Answer{}, Answer{End: EndOfFile}),
			[]Difference{{Step: 2, What: "answer", Reference: `"a\x000"`, Ours: "eof"}}},
		{"another descriptor", Transcript{}, answers(Answer{Tokens: []int{1}}), answers(Answer{Tokens: []int{2}}),
			[]Difference{{Step: 1, What: "answer", Reference: "descriptor 1", Ours: "descriptor 2"}}},
		{"unknown descriptor", Transcript{}, answers(Answer{Tokens: []int{0}}), answers(Answer{Tokens: []int{2}}), nil},
		{"number of descriptors", Transcript{}, answers(Answer{Tokens: []int{0}}), answers(Answer{}),
			[]Difference{{Step: 1, What: "answer", Reference: "a descriptor", Ours: "nothing"}}},
		{"flags", Transcript{}, answers(Answer{}), answers(Answer{Changed: []string{"flags of descriptor 1"}}),
			[]Difference{{Step: 1, What: "answer", Reference: "nothing", Ours: "flags of descriptor 1"}}},
		{"log", Transcript{}, log("a", "b"), log("a"), []Difference{{What: "log", Reference: "a\nb", Ours: "a"}}},
		{"stale reason", Transcript{}, log(reason+"Broken pipe", "b"), log(reason+"Application error", "b"),
			[]Difference{{What: "log", Reference: reason + "Broken pipe\nb", Ours: reason + "Application error\nb", Name: "reason"}}},
		{"stale reason and more", Transcript{}, log(reason+"Broken pipe", "b"), log(reason + "Application error"),
			[]Difference{{What: "log", Reference: reason + "Broken pipe\nb", Ours: reason + "Application error"}}},
		{"a reason of ours", Transcript{}, log(reason + "Application error"), log(reason + "Broken pipe"),
			[]Difference{{What: "log", Reference: reason + "Application error", Ours: reason + "Broken pipe"}}},
		{"status", Transcript{}, &Result{Alive: true, Status: []int32{0, 1}}, none,
			[]Difference{{What: "status", Reference: "[0 1]", Ours: "[]"}}},
		{"end", Transcript{}, none, &Result{Exit: "exit status 1"},
			[]Difference{{What: "end", Reference: "alive", Ours: "exit status 1"}}},
		{"descriptors lost by the reference", Transcript{Steps: []Step{send}}, &Result{Alive: true, Left: 2, Outcomes: none.Outcomes}, none,
			[]Difference{{What: "descriptors left", Reference: "2", Ours: "0", Name: "descriptors"}}},
		{"descriptors lost by ours", Transcript{Steps: []Step{send}}, none, &Result{Alive: true, Left: 2},
			[]Difference{{What: "descriptors left", Reference: "0", Ours: "2"}}},
		{"more lost than sent", Transcript{Steps: []Step{send}}, &Result{Alive: true, Left: 4}, none,
			[]Difference{{What: "descriptors left", Reference: "4", Ours: "0"}}},
		{"lost without cause", Transcript{}, &Result{Alive: true, Left: 2}, none,
			[]Difference{{What: "descriptors left", Reference: "2", Ours: "0"}}},
		{"what a disconnected client said after that", Transcript{Steps: []Step{send}}, log("a", "b", "c"), log("a", unaskedLine, "c"),
			[]Difference{{What: "log", Reference: "a\nb\nc", Ours: "a\n" + unaskedLine + "\nc", Name: "unasked"}}},
		{"no client sent descriptors", Transcript{}, log("a"), log("a", unaskedLine, "c"),
			[]Difference{{What: "log", Reference: "a", Ours: "a\n" + unaskedLine + "\nc"}}},
		{"better as recorded", Transcript{Better: "stall", Recorded: log("a"), Ours: log("b")}, log("a"), log("b"),
			[]Difference{{What: "log", Reference: "a", Ours: "b", Name: "stall"}}},
		{"better, but not so", Transcript{Better: "stall", Recorded: log("a"), Ours: log("b")}, log("a"), log("c"),
			[]Difference{{What: "log", Reference: "a", Ours: "c"}}},
		{"not better", Transcript{Better: "stall", Recorded: log("a"), Ours: log("b")}, log("a"), log("a"),
			[]Difference{{What: "promise", Reference: "the same", Ours: "should be better: stall"}}},
		{"no such name", Transcript{Better: "magic", Recorded: log("a"), Ours: log("b")}, log("a"), log("b"),
			[]Difference{{What: "log", Reference: "a", Ours: "b"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := cmp.Diff(test.want, Compare(&test.transcript, test.reference, test.ours)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestNormalize(t *testing.T) {
	for _, test := range []struct {
		name     string
		in, want []string
	}{
		{"clients by their turn", []string{"process generation: 17 (17)", "connection established fd 128", "connection established fd 130",
			"connection closed fd 128", "connection established fd 128", "connection closed fd 128", "connection closed fd 7"},
			[]string{"connection established fd client1", "connection established fd client2",
				"connection closed fd client1", "connection established fd client3", "connection closed fd client3", "connection closed fd earlier"}},
		{"sessions by their turn", []string{
			"scache_multi_save_endp: endp_label=a fd=1 -> endp_prop=p fd=12",
			"scache_multi_save_endp: endp_label=e -> endp_prop=\n fd=9",
			"scache_multi_find_endp: found: endp_label=e -> endp_prop=p fd=12",
			"scache_multi_drop_endp: endp_prop=p fd=-1",
			"scache_multi_drop_endp: endp_prop=p fd=77"},
			[]string{
				"scache_multi_save_endp: endp_label=a fd=1 -> endp_prop=p fd=session1",
				"scache_multi_save_endp: endp_label=e -> endp_prop=\n fd=session2",
				"scache_multi_find_endp: found: endp_label=e -> endp_prop=p fd=session1",
				"scache_multi_drop_endp: endp_prop=p fd=-1",
				"scache_multi_drop_endp: endp_prop=p fd=earlier"}},
		{"times", []string{"statistics: start interval Nov 21 19:28:21"}, []string{"statistics: start interval TIME"}},
		{"anything else", []string{`warning: unrecognized request: "connection closed fd 3", ignored`}, []string{`warning: unrecognized request: "connection closed fd 3", ignored`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := normalize(test.in)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if d := cmp.Diff(got, normalize(got)); d != "" {
				t.Errorf("not the same when it is done again:\n%s", d)
			}
		})
	}
}
