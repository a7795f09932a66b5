package diff

import (
	"maps"
	"regexp"
	"slices"

	"golang.org/x/sys/unix"
)

// Named are the differences that are there on purpose: where ours is better.
var Named = map[string]string{
	"early":         "a descriptor that comes together with its request is not lost, where clients do not wait before they send it",
	"stall":         "a client that stops in the middle of a request holds up nobody else; scache(8) waits for it as long as ipc_timeout",
	"descriptors":   "all descriptors of a message with more than one are closed; scache(8) leaves two of them open for ever",
	"string limit":  "a string without end is not read for ever, and memory not filled with it: its client is disconnected",
	"no descriptor": "a lack of descriptors does not end the server, as it does scache(8)",
	"live check":    "a session that the remote end has ended, or has spoken in, is not handed out: it is of no use to a client",
	"wording":       "the log is in the words of Postfix 3.7, and the reference's version has others",
	"reason":        "a log line gives no reason where no system call has failed; scache(8) gives that of something that failed before",
	"spin":          "a client that has gone does not keep the server busy for ever, as it does scache(8)",
	"control":       "an administrator can look into the cache, and flush it; scache(8) does not know these requests",
	"name spaces":   "a transport finds what another one has saved, where the administrator lets them share a name space",
	"quit":          "a session that nobody has taken ends with QUIT, where the administrator wants it; scache(8) just closes it",
	"terminate":     "SIGTERM makes the server log its statistics and exit; scache(8) exits without a word",
	"unasked":       "a client that sends descriptors which nobody asked for is disconnected, for a minute after the first one without an answer: each can block who closes it",
	"greeting":      "the log says when a client seems to be older than the protocol that was chosen; nothing else would tell why nothing is reused",
}

// nameKnown gives differences their names.
func nameKnown(t *Transcript, reference, ours *Result, differences []Difference) {
	if t.Better != "" && Named[t.Better] != "" && asRecorded(t, reference, ours) {
		for i := range differences {
			differences[i].Name = t.Better
		}
		return
	}
	from := unaskedFrom(t, reference, ours)
	for i, d := range differences {
		if from > 0 && (d.Step >= from || d.Step == 0) {
			differences[i].Name = "unasked" // nothing is the same any more
			continue
		}
		switch d.What {
		case "descriptors left":
			if lostDescriptors(t, reference.Left-ours.Left) {
				differences[i].Name = "descriptors"
			}
		case "log":
			differences[i].Name = logName(reference.Version, reference.Log, ours.Log)
		}
	}
}

// reasonLine is a line in which the reference gives a reason. Where no system
// call has failed that is what failed last, at any time: a write to a client
// that was gone, a number that was too big, a wait that Hold interrupted; or nothing,
// before Postfix 3.6 had other words for that.
var reasonLine = regexp.MustCompile(`^(warning: scache_\w+_service: (?:unable to receive|cannot send) file descriptor: )` +
	`(?:Success|Broken pipe|Numerical result out of range|Interrupted system call|Inappropriate ioctl for device)$`)

// staleReasons tells whether the logs differ in nothing but such reasons.
func staleReasons(reference, ours []string) bool {
	return slices.EqualFunc(reference, ours, sameReason)
}

func sameReason(reference, ours string) bool {
	return reference == ours || reasonLine.ReplaceAllString(reference, "${1}Application error") == ours
}

// An ownLine is one that only ours logs.
type ownLine struct {
	name string
	line *regexp.Regexp
}

var ownLines = []ownLine{
	{"unasked", regexp.MustCompile(`^warning: disconnected \d+ clients? that sent descriptors nobody asked for$`)},
	{"greeting", regexp.MustCompile(`^warning: \S+ socket: a client does not wait for the greeting; `)},
}

// logName names the difference between two logs, if it is one line of our own, or
// several of one kind, the words of the reference's version, and stale reasons.
func logName(mailVersion string, reference, ours []string) string {
	name := "reason"
	for _, own := range ownLines {
		rest := slices.DeleteFunc(slices.Clone(ours), own.line.MatchString)
		if len(rest) < len(ours) {
			name, ours = own.name, rest
		}
	}
	switch {
	case staleReasons(reference, ours):
		return name
	case inWordsOf(mailVersion, reference, ours):
		return "wording"
	}
	return ""
}

// unaskedFrom returns the step, counted from 1, from which on ours has refused
// or disconnected a client that has sent descriptors; 0 if that is not the first
// difference between the two. Until then the client has got the same answers.
func unaskedFrom(t *Transcript, reference, ours *Result) int {
	sent := make(map[string]bool) // clients
	said := slices.ContainsFunc(ours.Log, ownLines[0].line.MatchString)
	for i, step := range t.Steps {
		if step.Do == Connect {
			delete(sent, step.Client)
		}
		sent[step.Client] = sent[step.Client] || step.Descriptors > 0
		theirs, we := outcomeAt(reference, i), outcomeAt(ours, i)
		if sameOutcome(theirs, we) {
			continue
		}
		refused := step.Descriptors > 0 && we.Failed == unix.EPERM.Error() // see unix(7), SO_PASSRIGHTS
		if refused || sent[step.Client] && onlyEnds(theirs.Answer, we.Answer, said) || slices.ContainsFunc(slices.Collect(maps.Keys(we.Others)),
			func(client string) bool {
				return sent[client] && onlyEnds(theirs.Others[client], we.Others[client], said)
			}) {
			return i + 1
		}
		return 0
	}
	// A daemon that is held to the end turns to its clients after the last step. And
	// a client that both disconnect in the same step may have had more to say before
	// it ended, which only the reference has heard.
	if (t.held() || said) && slices.Contains(slices.Collect(maps.Values(sent)), true) {
		return len(t.Steps) + 1
	}
	return 0
}

// servedAlike tells whether the daemons have carried out the same requests. A
// client that ours disconnects may have had more to say, which only the reference
// has heard; from then on their statistics differ.
func servedAlike(differences []Difference) bool {
	for _, d := range differences {
		if d.Name == "unasked" && d.Step > 0 {
			return d.Ours == d.Reference+", "+EndOfFile
		}
	}
	return !slices.ContainsFunc(differences, func(d Difference) bool { return d.Name == "unasked" })
}

// held tells whether a hold is never followed by a go.
func (t *Transcript) held() bool {
	held := false
	for _, step := range t.Steps {
		held = step.Do == Hold || held && step.Do != Go
	}
	return held
}

// onlyEnds tells whether ours ends the connection where the reference does not,
// after the same answer, or the beginning of it. Where ours has said that it
// disconnected somebody, the reference may have ended it, too, after more of an
// answer.
func onlyEnds(reference, ours Answer, said bool) bool {
	n := min(len(ours.Data), len(reference.Data))
	m := min(len(ours.Tokens), len(reference.Tokens))
	if ours.End != EndOfFile || reference.End != "" && !(said && reference.End == EndOfFile) {
		return false
	}
	reference.Data, reference.Tokens, reference.End = reference.Data[:n], reference.Tokens[:m], ""
	return sameAnswer(reference, Answer{Data: ours.Data, Tokens: ours.Tokens, Changed: ours.Changed})
}

// withoutOwnLines returns the lines that the reference could log, too.
func withoutOwnLines(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		return slices.ContainsFunc(ownLines, func(own ownLine) bool { return own.line.MatchString(line) })
	})
}

// asRecorded tells whether each daemon does what is on record. What is there on
// purpose is known to the byte.
func asRecorded(t *Transcript, reference, ours *Result) bool {
	return t.Recorded != nil && t.Ours != nil &&
		len(compare(t.Recorded, reference)) == 0 && len(compare(t.Ours, ours)) == 0
}

// lostDescriptors tells whether the reference can have lost that many. Of each
// message with more than one where one is due it loses two: there is no room
// for more (src/util/unix_recv_fd.c).
func lostDescriptors(t *Transcript, surplus int) bool {
	most := 0
	for _, step := range t.Steps {
		if step.Descriptors > 1 {
			most += 2
		}
	}
	return surplus > 0 && surplus <= most && surplus%2 == 0
}
