package postfix

import (
	"scache/compat/master"
)

import (
	"slices"
	"strings"
)

// A Tally is what a log says about deliveries and about the cache.
type Tally struct {
	Sent       int              // deliveries that smtp(8) reports as done
	Reused     int              // those of them that came over a connection used before
	Unsent     int              // deliveries deferred or bounced
	Statistics []string         // the cache's statistics lines, without "statistics: "
	Problems   []master.LogLine // smtp(8) not content with the cache
	Warnings   []master.LogLine // all warnings, errors and worse
}

// ReusedShare is the share of deliveries over a connection used before, 0..1.
func (t *Tally) ReusedShare() float64 {
	if t.Sent == 0 {
		return 0
	}
	return float64(t.Reused) / float64(t.Sent)
}

// CacheProblems are what smtp(8) says when the cache lets it down (src/global/scache_clnt.c).
var CacheProblems = []string{
	"problem talking to service private/scache",
	"disabling connection caching",
}

// complaints are the labels of lines that should not be there.
var complaints = []string{"warning: ", "error: ", "fatal: ", "panic: "}

// TallyOf reads lines of a Postfix log. The cache's program is named because
// anvil(8) logs statistics as well.
func TallyOf(lines []master.LogLine, cacheProgram string) Tally {
	var t Tally
	for _, line := range lines {
		switch {
		case strings.Contains(line.Text, ", status=sent "):
			t.Sent++
			if strings.Contains(line.Text, ", conn_use=") {
				t.Reused++
			}
		case strings.Contains(line.Text, ", status=deferred "), strings.Contains(line.Text, ", status=bounced "):
			t.Unsent++
		}
		if text, ok := strings.CutPrefix(line.Text, "statistics: "); ok && strings.HasSuffix(line.Tag, "/"+cacheProgram) {
			t.Statistics = append(t.Statistics, text)
		}
		for _, problem := range CacheProblems {
			if strings.Contains(line.Text, problem) {
				t.Problems = append(t.Problems, line)
			}
		}
		for _, label := range complaints {
			if strings.HasPrefix(line.Text, label) {
				t.Warnings = append(t.Warnings, line)
			}
		}
	}
	return t
}

// forkedChild is what a child of master(8) says when the stop comes between its
// fork and its exec: it takes itself for the master.
const forkedChild = "master_sigdeath: kill process group"

// UnexpectedWarnings returns the warnings that hold none of the allowed parts.
// What any Postfix may warn of when it is stopped is allowed, too.
func (t *Tally) UnexpectedWarnings(allowed ...string) []master.LogLine {
	allowed = append([]string{forkedChild}, allowed...)
	return slices.DeleteFunc(slices.Clone(t.Warnings), func(line master.LogLine) bool {
		return slices.ContainsFunc(allowed, func(part string) bool { return strings.Contains(line.Raw, part) })
	})
}
