package diff

import (
	"regexp"
	"slices"
)

// Named are the differences that are there on purpose: where ours is better.
var Named = map[string]string{
	"early":         "a descriptor that comes together with its request is not lost, where clients do not wait before they send it",
	"stall":         "a client that stops in the middle of a request holds up nobody else",
	"descriptors":   "all descriptors of a message with more than one are closed",
	"string limit":  "a string without end is not read for ever",
	"no descriptor": "a lack of descriptors does not end the server",
	"live check":    "a session that the remote end has ended is not handed out",
	"reason":        "the reason in a log line is not that of something that failed before",
	"spin":          "a client that has gone does not keep the server busy for ever",
	"terminate":     "SIGTERM makes the server log its statistics and exit",
}

// nameKnown gives differences their names.
func nameKnown(t *Transcript, reference, ours *Result, differences []Difference) {
	if t.Better != "" && Named[t.Better] != "" && asRecorded(t, reference, ours) {
		for i := range differences {
			differences[i].Name = t.Better
		}
		return
	}
	for i, d := range differences {
		switch d.What {
		case "descriptors left":
			if lostDescriptors(t, reference.Left-ours.Left) {
				differences[i].Name = "descriptors"
			}
		case "log":
			if staleReasons(reference.Log, ours.Log) {
				differences[i].Name = "reason"
			}
		}
	}
}

// reasonLine is a line in which the reference gives a reason. Where no system
// call has failed that is what failed last, at any time: a write to a client
// that was gone, a number that was too big, a wait that Hold interrupted; or nothing,
// before Postfix 3.6 had other words for that.
var reasonLine = regexp.MustCompile(`^(warning: scache_\w+_service: (?:unable to receive|cannot send) file descriptor: )` +
	`(?:Success|Broken pipe|Numerical result out of range|Interrupted system call)$`)

// staleReasons tells whether the logs differ in nothing but such reasons.
func staleReasons(reference, ours []string) bool {
	return slices.EqualFunc(reference, ours, func(a, b string) bool {
		return a == b || reasonLine.ReplaceAllString(a, "${1}Application error") == b
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
