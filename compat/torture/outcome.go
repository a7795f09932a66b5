package torture

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// An Outcome is what an attack did.
type Outcome struct {
	Attack   string
	Survived bool // it served clients afterwards, or ended as it should
	// Beside and Under are what a good client's cycle took, with the daemon that
	// was spared and with the one that was attacked.
	Beside, Under Times
	Cycles        int   // of the good client of the attacked daemon
	Missed        int   // cycles in which its session had been given up
	Unanswered    error // why a good client got no service during the attack
	Leaked        int   // descriptors more than before, once everybody has gone
	Grown         int64 // bytes of memory more than before
	Peak          int64 // bytes of memory at any time, if the attack is about that
	Failure       error // something else that should not have happened
	Remarks       string

	attack Attack
	slack  Times
}

// Passed tells whether the daemon is none the worse for the attack.
func (o *Outcome) Passed() bool {
	return o.Why() == ""
}

// Times are percentiles of what a cycle took, and the longest of all.
type Times struct{ Median, P99, Longest time.Duration }

func timesOf(g *goodClient) Times {
	return Times{percentile(g.took, 50), percentile(g.took, 99), percentile(g.took, 100)}
}

// What an operating system with other things to do may add to any cycle; busy is
// one that carries out many attacks at the same time, alone is one that has carried
// them out. There an attack has to hold up the daemon for so much longer to show.
var (
	slack      = Times{Median: 100 * time.Microsecond, P99: time.Millisecond, Longest: 20 * time.Millisecond}
	busySlack  = Times{Median: 20 * time.Millisecond, P99: 200 * time.Millisecond, Longest: time.Second}
	aloneSlack = Times{Median: 2 * time.Millisecond, P99: 50 * time.Millisecond, Longest: 100 * time.Millisecond}
)

// Unaffected tells whether good clients were served, within twice the time that
// it takes without the attack, and none of them waited for long.
func (o *Outcome) Unaffected() bool {
	if o.Unanswered != nil || o.Missed > 0 && !o.attack.GivesUp {
		return false
	}
	if o.Under.Longest > o.Beside.Longest+o.slack.Longest {
		return false
	}
	return o.attack.Greedy ||
		o.Under.Median <= 2*o.Beside.Median+o.slack.Median && o.Under.P99 <= 2*o.Beside.P99+o.slack.P99
}

// Why is what is wrong with an outcome that did not pass.
func (o *Outcome) Why() string {
	var why []string
	if !o.Survived {
		why = append(why, "the daemon did not survive")
	}
	if o.Unanswered != nil {
		why = append(why, "a good client got no service: "+o.Unanswered.Error())
	} else if !o.Unaffected() {
		why = append(why, fmt.Sprintf("good clients: longest %v, alone %v; p99 %v, alone %v; p50 %v, alone %v; %d of %d sessions given up",
			o.Under.Longest, o.Beside.Longest, o.Under.P99, o.Beside.P99, o.Under.Median, o.Beside.Median, o.Missed, o.Cycles))
	}
	if o.Leaked > 0 {
		why = append(why, fmt.Sprintf("%d descriptors leaked", o.Leaked))
	}
	if growth := cmp.Or(o.attack.Growth, defaultGrowth); o.Grown > growth {
		why = append(why, fmt.Sprintf("memory has grown by %d MiB, more than %d", o.Grown>>20, growth>>20))
	}
	if o.attack.Peak > 0 && o.Peak > o.attack.Peak {
		why = append(why, fmt.Sprintf("it took %d MiB of memory, more than %d", o.Peak>>20, o.attack.Peak>>20))
	}
	if o.Failure != nil {
		why = append(why, o.Failure.Error())
	}
	return strings.Join(why, "; ")
}

// String is an outcome in one line.
func (o *Outcome) String() string {
	text := "survived " + yesNo(o.Survived)
	if !o.attack.Ends && !o.attack.Deprives && o.Unanswered == nil {
		text += fmt.Sprintf(", good clients at most %s alone, %s under attack, p99 %s, %s",
			inMilliseconds(o.Beside.Longest), inMilliseconds(o.Under.Longest), inMilliseconds(o.Beside.P99), inMilliseconds(o.Under.P99))
	}
	if o.Survived && !o.attack.Ends {
		text += fmt.Sprintf(", %d descriptors leaked, memory grown by %.1f MiB", o.Leaked, float64(o.Grown)/(1<<20))
	}
	if o.Remarks != "" {
		text += ", " + o.Remarks
	}
	if why := o.Why(); why != "" {
		text += ": " + why
	}
	return text
}
