package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A file is a list of transcripts in JSON. A step has what the reference
// answered beside it: "recv", "recv_fds" and "closed". The transcripts that were
// recorded with Postfix 3.12 before there was this package have no more than
// that: descriptors are counted there, not numbered. The file's name says which
// version that was, and whether the daemon was verbose.
type jsonTranscript struct {
	Name    string      `json:"name"`
	About   string      `json:"about,omitempty"`
	Setup   *Setup      `json:"setup,omitempty"`
	Steps   []jsonStep  `json:"steps"`
	Log     lines       `json:"log"`
	Status  []int32     `json:"status,omitempty"`
	Alive   *bool       `json:"alive,omitempty"` // nil if nothing is recorded
	Exit    string      `json:"exit,omitempty"`
	FDsLeft int         `json:"fds_left"`
	Version string      `json:"version,omitempty"` // of the reference
	Better  string      `json:"better,omitempty"`
	Ours    *jsonResult `json:"ours,omitempty"`
}

type jsonStep struct {
	Client  string `json:"client,omitempty"`
	Step    Action `json:"step"`
	Data    text   `json:"data,omitempty"`
	FDs     int    `json:"fds,omitempty"`
	Piece   int    `json:"piece,omitempty"`
	Token   int    `json:"token,omitempty"`
	Seconds int    `json:"seconds,omitempty"`
	jsonOutcome
}

type jsonAnswer struct {
	Recv    text     `json:"recv"`
	RecvFDs *tokens  `json:"recv_fds,omitempty"`
	Closed  string   `json:"closed,omitempty"`
	Changed []string `json:"changed,omitempty"`
}

type jsonOutcome struct {
	jsonAnswer
	Others  map[string]jsonAnswer `json:"others,omitempty"`
	Failed  string                `json:"failed,omitempty"`
	Skipped bool                  `json:"skipped,omitempty"`
}

type jsonResult struct {
	Steps   []jsonOutcome `json:"steps"`
	Log     lines         `json:"log"`
	Status  []int32       `json:"status,omitempty"`
	Alive   bool          `json:"alive"`
	Exit    string        `json:"exit,omitempty"`
	FDsLeft int           `json:"fds_left"`
}

// text is bytes: in JSON a string with a character for each, or a list of such
// strings and of runs of one character.
type text []byte

// lines are those of a log, which may hold any bytes.
type lines []string

func (l lines) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("null"), nil
	}
	list := make([]text, len(l))
	for i, line := range l {
		list[i] = text(line)
	}
	return marshal(list)
}

func (l *lines) UnmarshalJSON(data []byte) error {
	var list []text
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	if *l = nil; list != nil {
		*l = lines{}
	}
	for _, line := range list {
		*l = append(*l, string(line))
	}
	return nil
}

type jsonRun struct {
	Of    string `json:"of"`
	Times int    `json:"times"`
}

func (t text) MarshalJSON() ([]byte, error) {
	var parts []any
	begin := 0
	for i := 0; i < len(t); {
		n := runLength(t[i:])
		if n >= longRun {
			if begin < i {
				parts = append(parts, latin1(t[begin:i]))
			}
			parts = append(parts, jsonRun{latin1(t[i : i+1]), n})
			begin = i + n
		}
		i += n
	}
	if len(parts) == 0 {
		return marshal(latin1(t))
	}
	if begin < len(t) {
		parts = append(parts, latin1(t[begin:]))
	}
	return marshal(parts)
}

func latin1(data []byte) string {
	runes := make([]rune, len(data))
	for i, c := range data {
		runes[i] = rune(c)
	}
	return string(runes)
}

func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		return t.add(s, 1)
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	for _, part := range parts {
		var run jsonRun
		if json.Unmarshal(part, &s) == nil {
			run = jsonRun{s, 1}
		} else if err := json.Unmarshal(part, &run); err != nil {
			return err
		}
		if err := t.add(run.Of, run.Times); err != nil {
			return err
		}
	}
	return nil
}

func (t *text) add(s string, times int) error {
	var some []byte
	for _, r := range s {
		if r > 0xff {
			return fmt.Errorf("character %q is not a byte", r)
		}
		some = append(some, byte(r))
	}
	*t = append(*t, bytes.Repeat(some, times)...)
	return nil
}

// tokens are numbers of descriptors; in older files just their count.
type tokens []int

func (t *tokens) UnmarshalJSON(data []byte) error {
	var count int
	if json.Unmarshal(data, &count) == nil {
		*t = make(tokens, count)
		return nil
	}
	return json.Unmarshal(data, (*[]int)(t))
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// ReadFile reads transcripts from a file.
func ReadFile(path string) ([]*Transcript, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Parse reads transcripts from what a file of that name holds.
func Parse(name string, data []byte) ([]*Transcript, error) {
	if isRecording(data) {
		t, err := parseRecording(name, data, 1)
		if err != nil {
			return nil, err
		}
		return []*Transcript{t}, nil
	}
	var raw []jsonTranscript
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var list []*Transcript
	for i := range raw {
		t := raw[i].transcript()
		if raw[i].Setup == nil {
			fromName(t, name)
		}
		list = append(list, t)
	}
	return list, nil
}

// fromName takes from a file's name what the file does not say: "wire-3.12.json"
// has what that version did, and "wire-3.12-verbose.json" with -v.
func fromName(t *Transcript, name string) {
	name, t.Setup.Verbose = strings.CutSuffix(strings.TrimSuffix(filepath.Base(name), ".json"), "-verbose")
	if version, ok := strings.CutPrefix(name, "wire-"); ok && t.Recorded != nil {
		t.Recorded.Version = version
	}
}

func (j *jsonTranscript) transcript() *Transcript {
	t := &Transcript{Name: j.Name, About: j.About, Better: j.Better}
	if j.Setup != nil {
		t.Setup = *j.Setup
	}
	recorded := &Result{Version: j.Version, Status: j.Status, Left: j.FDsLeft, Exit: j.Exit}
	if j.Log != nil {
		recorded.Log = normalize(j.Log)
	}
	for _, s := range j.Steps {
		t.Steps = append(t.Steps, s.step())
		recorded.Outcomes = append(recorded.Outcomes, s.outcome())
	}
	if j.Alive != nil {
		recorded.Alive = *j.Alive
		t.Recorded = recorded
	}
	if o := j.Ours; o != nil {
		t.Ours = &Result{Log: o.Log, Status: o.Status, Left: o.FDsLeft, Alive: o.Alive, Exit: o.Exit}
		for _, s := range o.Steps {
			t.Ours.Outcomes = append(t.Ours.Outcomes, s.outcome())
		}
	}
	return t
}

func (s *jsonStep) step() Step {
	do := s.Step
	if do == "send_fds" {
		do = Send
	}
	return Step{Do: do, Client: s.Client, Data: s.Data, Descriptors: s.FDs, Piece: s.Piece, Token: s.Token, Seconds: s.Seconds}
}

func (j *jsonAnswer) answer() Answer {
	a := Answer{Data: j.Recv, End: j.Closed, Changed: j.Changed}
	if j.RecvFDs != nil {
		a.Tokens = *j.RecvFDs
	}
	return a
}

func (j *jsonOutcome) outcome() Outcome {
	o := Outcome{Answer: j.answer(), Failed: j.Failed, Skipped: j.Skipped}
	for client, answer := range j.Others {
		if o.Others == nil {
			o.Others = make(map[string]Answer)
		}
		o.Others[client] = answer.answer()
	}
	return o
}

// WriteFile writes transcripts to a file.
func WriteFile(path string, list []*Transcript) error {
	raw := make([]jsonTranscript, len(list))
	for i, t := range list {
		raw[i] = t.json()
	}
	data, err := marshal(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", " "); err != nil {
		return err
	}
	b.WriteByte('\n')
	return os.WriteFile(path, b.Bytes(), 0o666)
}

func (t *Transcript) json() jsonTranscript {
	j := jsonTranscript{Name: t.Name, About: t.About, Setup: &t.Setup, Better: t.Better}
	for i, s := range t.Steps {
		step := jsonStep{Client: s.Client, Step: s.Do, Data: s.Data, FDs: s.Descriptors, Piece: s.Piece, Token: s.Token, Seconds: s.Seconds}
		if t.Recorded != nil {
			step.jsonOutcome = newJSONOutcome(outcomeAt(t.Recorded, i))
		}
		j.Steps = append(j.Steps, step)
	}
	if r := t.Recorded; r != nil {
		j.Log, j.Status, j.Alive, j.Exit, j.FDsLeft, j.Version = r.Log, r.Status, &r.Alive, r.Exit, r.Left, r.Version
	}
	if o := t.Ours; o != nil {
		j.Ours = &jsonResult{Log: o.Log, Status: o.Status, Alive: o.Alive, Exit: o.Exit, FDsLeft: o.Left}
		for _, outcome := range o.Outcomes {
			j.Ours.Steps = append(j.Ours.Steps, newJSONOutcome(outcome))
		}
	}
	return j
}

func newJSONAnswer(a Answer) jsonAnswer {
	j := jsonAnswer{Recv: a.Data, Closed: a.End, Changed: a.Changed}
	if len(a.Tokens) > 0 {
		j.RecvFDs = (*tokens)(&a.Tokens)
	}
	return j
}

func newJSONOutcome(o Outcome) jsonOutcome {
	j := jsonOutcome{jsonAnswer: newJSONAnswer(o.Answer), Failed: o.Failed, Skipped: o.Skipped}
	for client, answer := range o.Others {
		if j.Others == nil {
			j.Others = make(map[string]jsonAnswer)
		}
		j.Others[client] = newJSONAnswer(answer)
	}
	return j
}
