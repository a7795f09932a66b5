package diff

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// A recording is what "scachectl tap" writes: a line for each thing that happened,
// with the members that the steps of a transcript have. What clients did is made a
// transcript of here.
//
// The reference serves one client at a time, from its request to the last word about
// that. So a request is taken up when the server that was recorded had served it, and
// in one piece; what other clients did meanwhile comes before or after it, as it did
// for the server. A session that is found is taken whether or not one was found
// then: which sessions there were may have depended on their remote ends, which no
// recording knows of.

// recordingStart is how a recording begins.
var recordingStart = []byte(`{"recording":1,`)

func isRecording(data []byte) bool { return bytes.HasPrefix(data, recordingStart) }

// A recordedLine is one line of a recording.
type recordedLine struct {
	Recording int     `json:"recording"`
	Began     float64 `json:"began"` // seconds since 1970
	At        float64 `json:"at"`    // seconds since then
	Continued bool    `json:"continued"`
	Setup     *Setup  `json:"setup"`
	jsonStep
}

// A deed is what a client did, up to the answer.
type deed struct {
	at    float64 // when the server was done with it, seconds since 1970
	steps []Step
	ttl   int // of what was saved, seconds
}

// A talk is one connection in a recording.
type talk struct {
	name     string
	deeds    []*deed
	open     *deed // the request under way
	heard    bool  // the server has said something
	awaiting bool  // nothing has been answered to it
}

// A reel is a recording that is being read.
type reel struct {
	began  float64
	epoch  int // how many processes have written to it so far
	setup  Setup
	talks  map[string]*talk
	order  []*talk
	silent bool // a client spoke first
}

// dummies are what clients of a dialect say when a session was found.
func dummies(dialect string) int {
	switch dialect {
	case "20040720":
		return 0
	case "2.2":
		return 1
	}
	return 2
}

// ReadRecording reads a recording, to be played in as much time as it took. [ReadFile]
// reads one to be played in less time, where nothing expires.
func ReadRecording(path string) (*Transcript, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !isRecording(data) {
		return nil, fmt.Errorf("%s is no recording", path)
	}
	return parseRecording(path, data, 0)
}

// A Content is what a recording is made of.
type Content struct {
	Connections, Sessions, Lookups int // Sessions are those that are saved
	Seconds                        int // in which something may expire
}

// Content says what is in a transcript that was made of a recording; ok is false for
// any other.
func (t *Transcript) Content() (c Content, ok bool) {
	for _, step := range t.Steps {
		switch {
		case step.Do == Connect:
			c.Connections++
		case step.Do == Find:
			c.Lookups++
		case step.Do == Wait:
			c.Seconds += step.Seconds
		}
		c.Sessions += step.Descriptors
	}
	return c, t.About == aboutRecording
}

// aboutRecording tells a recording from other transcripts.
const aboutRecording = "a recording"

// parseRecording makes a transcript of a recording, to be played slowly by a factor
// if too much happens in a second. With 0 it is played at the speed at which it was
// recorded.
func parseRecording(name string, data []byte, factor int) (*Transcript, error) {
	r := &reel{talks: make(map[string]*talk)}
	decoder := json.NewDecoder(bytes.NewReader(data))
	for n := 1; ; n++ {
		var line recordedLine
		err := decoder.Decode(&line)
		if err == io.EOF || err == io.ErrUnexpectedEOF && n > 1 { // its writer may have been killed
			break
		}
		if err == nil {
			err = r.take(&line)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
	}
	if r.silent {
		r.setup.Dialect = "2.3"
	}
	t := r.transcript(factor)
	t.Name = filepath.Base(name)
	if factor > 0 {
		t.slower = func() (*Transcript, error) { return parseRecording(name, data, 2*factor) }
	}
	return t, nil
}

func (r *reel) take(line *recordedLine) error {
	switch {
	case line.Recording > 0:
		if r.began != line.Began {
			r.epoch++
		}
		r.began = line.Began
		if line.Setup != nil {
			r.setup = *line.Setup
		}
		return nil
	case line.Client == "": // what was lost
		return nil
	}
	name := line.Client
	if r.epoch > 1 {
		name = strconv.Itoa(r.epoch) + "/" + name
	}
	t := r.talks[name]
	if t == nil || line.Step == Connect && !line.Continued {
		t = &talk{name: name, heard: line.Step != Connect || line.Continued}
		r.talks[name] = t
		r.order = append(r.order, t)
		if line.Step != Connect {
			t.add(r.began+line.At, Step{Do: Connect})
		}
	}
	at := r.began + line.At
	switch line.Step {
	case Connect:
		if line.Continued {
			at = 0
		}
		t.add(at, Step{Do: Connect})
	case Send:
		r.silent = r.silent || !t.heard
		t.say(at, line.Data, line.FDs)
	case Shutdown, Close:
		t.finish()
		t.add(at, Step{Do: line.Step})
	case "":
		t.heard = true
		t.hear(at, line.Closed != "")
	default:
		return fmt.Errorf("unknown step %q", line.Step)
	}
	return nil
}

func (t *talk) add(at float64, step Step) {
	step.Client = t.name
	t.deeds = append(t.deeds, &deed{at: at, steps: []Step{step}})
}

func (t *talk) finish() { t.open = nil }

var requestName = []byte("request\x00")

// say takes what a client said. A dummy before a request ends the one before it.
func (t *talk) say(at float64, data []byte, descriptors int) {
	for bytes.HasPrefix(data, dummy) && len(data) > len(dummy) {
		data = data[len(dummy):]
	}
	if bytes.Equal(data, dummy) {
		return // which comes of itself when a session is found
	}
	step := Step{Do: Send, Client: t.name, Data: data, Descriptors: descriptors}
	words := bytes.Split(data, []byte{0})
	if t.open != nil && !bytes.HasPrefix(data, requestName) {
		t.open.steps = append(t.open.steps, step)
		t.open.at = at
		return
	}
	t.open = &deed{at: at, steps: []Step{step}}
	t.awaiting = true
	t.deeds = append(t.deeds, t.open)
	if len(words) > 3 && descriptors == 0 && bytes.HasSuffix(data, []byte{0, 0}) {
		switch string(words[1]) {
		case "find_endp", "find_dest":
			t.open.steps[0].Do = Find
		case "save_endp", "save_dest":
			t.open.ttl, _ = strconv.Atoi(string(words[3]))
		}
	}
}

// hear takes the time of what the server said. The first word about a lookup and
// the last one about a session that is saved are when it was done.
func (t *talk) hear(at float64, ended bool) {
	if t.open == nil || ended {
		return
	}
	if t.awaiting || t.open.steps[0].Do != Find {
		t.open.at = at
	}
	t.awaiting = false
}

// mostInSecond is how many steps of one second are sure to be played in one.
const mostInSecond = 150

// transcript makes one of all connections, in one order. What was done in one second
// of the clock is done in one second again, since a ttl ends with a second. Where
// too much was done in one, all seconds become several, and all ttls with them.
func (r *reel) transcript(factor int) *Transcript {
	var all []*deed
	for _, t := range r.order {
		last := 0.0
		for _, d := range t.deeds {
			d.at = max(d.at, last) // each client has its own order
			last = d.at
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b *deed) int { return cmp.Compare(a.at, b.at) })
	slow := 1
	if factor > 0 {
		slow = factor * slowness(all)
	}
	t := &Transcript{About: aboutRecording, Setup: r.setup}
	t.Setup.TTLLimit *= slow
	second, due := 0, 0 // due is when everything that was saved so far has expired
	for _, d := range all {
		now := int(math.Floor(d.at * float64(slow)))
		if gap := now - second; second > 0 && gap > 0 {
			if factor > 0 {
				gap = min(gap, max(due-second, 0)+2) // after that time tells nothing any more
			}
			t.Steps = append(t.Steps, Step{Do: Wait, Seconds: gap})
		}
		second = max(second, now)
		if ttl := d.ttl * slow; ttl > 0 {
			if t.Setup.TTLLimit > 0 {
				ttl = min(ttl, t.Setup.TTLLimit)
			}
			due = max(due, now+ttl)
			d.stretch(slow)
		}
		t.Steps = append(t.Steps, d.steps...)
	}
	return t
}

// slowness is how many seconds one becomes.
func slowness(all []*deed) int {
	counts := make(map[int]int)
	most := 1
	for _, d := range all {
		if d.at > 0 {
			second := int(math.Floor(d.at))
			counts[second] += len(d.steps)
			most = max(most, counts[second])
		}
	}
	return (most + mostInSecond - 1) / mostInSecond
}

// stretch makes what is saved stay longer.
func (d *deed) stretch(slow int) {
	word := func(ttl int) []byte { return []byte("\x00ttl\x00" + strconv.Itoa(ttl) + "\x00") }
	d.steps[0].Data = bytes.Replace(d.steps[0].Data, word(d.ttl), word(d.ttl*slow), 1)
}
