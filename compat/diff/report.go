package diff

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Report is what came of a run.
type Report struct {
	Played   int
	Time     time.Duration
	Findings []Finding // those with a name, too
	Scripts  []ScriptResult
	Repeated []string // transcripts that were played alone, because the machine was busy
	Late     []string // those of them for which it was too busy to the end: not compared
	// Tally is about the random transcripts. Named differences of those are only
	// counted there, unless Options.Named is set.
	Tally    Tally
	NotAgain []Finding // the first of what Tally counts as such
	named    bool      // they are among the findings
	// Slow is why random transcripts took longer than they could; empty if they did not.
	Slow string
}

// Unnamed are the findings that are not there on purpose.
func (r *Report) Unnamed() []Finding {
	var unnamed []Finding
	for _, f := range r.Findings {
		if Unnamed(f.Differences) {
			unnamed = append(unnamed, f)
		}
	}
	return unnamed
}

// Clean tells whether everything was compared and all differences have a name.
func (r *Report) Clean() bool {
	return len(r.Unnamed()) == 0 && len(r.Late) == 0 && r.Tally.Unnamed == 0 && r.Tally.Late == 0 &&
		!slices.ContainsFunc(r.Scripts, func(s ScriptResult) bool { return !s.clean() })
}

// Names counts the transcripts that show each named difference.
func (r *Report) Names() map[string]int {
	counts := make(map[string]int)
	for _, f := range r.Findings {
		for name := range names(f.Differences) {
			counts[name]++
		}
	}
	if !r.named {
		for name, n := range r.Tally.Named {
			counts[name] += int(n)
		}
	}
	return counts
}

// names are the names of differences that have one.
func names(differences []Difference) map[string]bool {
	set := make(map[string]bool)
	for _, d := range differences {
		set[d.Name] = true
	}
	delete(set, "")
	return set
}

// legend says what the marks in front of lines mean.
const legend = "- what the reference did, live or on record\n+ what ours did instead\n\n"

// WriteText writes the report for people; with all, also the transcripts with
// named differences.
func (r *Report) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	for _, f := range r.Findings {
		if all || Unnamed(f.Differences) {
			f.print(&b)
		}
	}
	if b.Len() > 0 {
		text := b.String()
		b.Reset()
		b.WriteString(legend + text)
	}
	different := max(len(r.Unnamed()), int(r.Tally.Unnamed)) // some may be from earlier runs
	for _, s := range r.Scripts {
		if !s.clean() {
			different++
			s.print(&b)
			writeAll(&b, s.Errors)
		}
	}
	names := r.Names()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&b, "%-14s %5d  %s\n", name, names[name], Named[name])
	}
	r.printBusy(&b)
	if n := r.Tally.NotAgain; n > 0 {
		fmt.Fprintf(&b, "not reproduced: %d differences were not there when the transcript was played again\n", n)
	}
	if r.Slow != "" {
		fmt.Fprintf(&b, "random transcripts took longer than they could: %s\n", r.Slow)
	}
	fmt.Fprintf(&b, "%d transcripts", r.Played)
	if len(r.Scripts) > 0 {
		fmt.Fprintf(&b, ", %d scripts", len(r.Scripts))
	}
	fmt.Fprintf(&b, " in %.1f s: %d with unnamed differences or errors\n", r.Time.Seconds(), different)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeAll(b *strings.Builder, texts []string) {
	for _, text := range texts {
		for line := range strings.Lines(text) {
			fmt.Fprintf(b, "    %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
}

// printBusy tells what took longer than the seconds that it is about.
func (r *Report) printBusy(b *strings.Builder) {
	repeated := slices.Clone(r.Repeated)
	for _, s := range r.Scripts {
		if s.Runs > 1 {
			repeated = append(repeated, s.Name)
		}
	}
	if len(repeated) > 0 {
		fmt.Fprintf(b, "repeated, because the machine was busy: %s\n", strings.Join(repeated, ", "))
	}
	if len(r.Late) > 0 {
		fmt.Fprintf(b, "NOT COMPARED, because it was too busy each time: %s\n", strings.Join(r.Late, ", "))
	}
}

func (f *Finding) print(b *strings.Builder) {
	b.WriteString(f.Transcript.Name)
	if setup := f.Transcript.Setup; setup != (Setup{}) {
		text, _ := json.Marshal(setup)
		fmt.Fprintf(b, " %s", text)
	}
	b.WriteByte('\n')
	f.Transcript.Print(b, f.Reference, f.Differences)
	b.WriteByte('\n')
	if len(f.Together) > 1 {
		fmt.Fprintf(b, "This is after %d transcripts, one after the other:\n\n", len(f.Together))
	}
	for _, t := range f.Together {
		if t != f.Transcript {
			fmt.Fprintln(b, t.Name)
			t.Print(b, nil, nil)
		}
	}
}

type jsonFinding struct {
	jsonTranscript
	Differences []Difference `json:"differences"`
	Together    []string     `json:"together,omitempty"` // names of transcripts
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	out := struct {
		Played  int            `json:"transcripts"`
		Seconds float64        `json:"seconds"`
		Unnamed []jsonFinding  `json:"unnamed"`
		Named   map[string]int `json:"named"`
		Scripts []ScriptResult `json:"scripts,omitempty"`
		// Repeated and Late are as in Report.
		Repeated []string `json:"repeated,omitempty"`
		Late     []string `json:"not_compared,omitempty"`
		// Random is about random transcripts, and NotAgain are the first differences
		// that it counts as not reproduced.
		Random   *Tally        `json:"random,omitempty"`
		NotAgain []jsonFinding `json:"not_reproduced,omitempty"`
		Clean    bool          `json:"clean"`
	}{r.Played, r.Time.Seconds(), jsonFindings(r.Unnamed()), r.Names(), r.Scripts, r.Repeated, r.Late, nil, jsonFindings(r.NotAgain), r.Clean()}
	if len(r.Tally.Done) > 0 {
		out.Random = &r.Tally
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(out)
}

func jsonFindings(list []Finding) []jsonFinding {
	out := []jsonFinding{}
	for _, f := range list {
		finding := jsonFinding{jsonTranscript: f.recording().json(), Differences: f.Differences}
		for _, t := range f.Together {
			finding.Together = append(finding.Together, t.Name)
		}
		out = append(out, finding)
	}
	return out
}

// recording is the transcript with what the reference did this time.
func (f *Finding) recording() *Transcript {
	t := *f.Transcript
	t.Recorded = f.Reference
	return &t
}
