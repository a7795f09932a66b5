package diff

import (
	"regexp"
	"strconv"
	"strings"
)

// startupLines are what both daemons say before the first client. What the
// reference says about its own libraries is left out.
func startupLines(lines []string) []string {
	var kept []string
	for _, line := range lines {
		if strings.HasPrefix(line, "process generation: ") {
			kept = append(kept, line)
		}
	}
	return kept
}

// A normalizer makes log lines of different daemons comparable: descriptors are
// numbered in the order in which they turn up, and times are left out.
type normalizer struct {
	clients, sessions         map[string]string
	clientCount, sessionCount int
}

// normalize returns the lines of one transcript. Lines that it has
// returned before stay as they are.
func normalize(lines []string) []string {
	n := normalizer{clients: make(map[string]string), sessions: make(map[string]string)}
	normal := []string{}
	for _, line := range lines {
		if !strings.HasPrefix(line, "process generation: ") {
			normal = append(normal, n.line(line))
		}
	}
	return normal
}

var (
	connectionLine = regexp.MustCompile(`^connection (established|closed) fd (\d+)$`)
	sessionLine    = regexp.MustCompile(`(?s)^(scache_multi_(?:save|find|drop)_endp: .* fd=)(\d+)$`)
	intervalLine   = regexp.MustCompile(`^(statistics: start interval ).*`)
)

func (n *normalizer) line(line string) string {
	if m := connectionLine.FindStringSubmatch(line); m != nil {
		if m[1] == "established" {
			n.clientCount++
			n.clients[m[2]] = "client" + strconv.Itoa(n.clientCount)
		}
		return "connection " + m[1] + " fd " + known(n.clients, m[2])
	}
	if m := sessionLine.FindStringSubmatch(line); m != nil {
		if strings.HasPrefix(line, "scache_multi_save_endp: ") {
			n.sessionCount++
			n.sessions[m[2]] = "session" + strconv.Itoa(n.sessionCount)
		}
		return m[1] + known(n.sessions, m[2])
	}
	return intervalLine.ReplaceAllString(line, "${1}TIME")
}

func known(names map[string]string, number string) string {
	if name, ok := names[number]; ok {
		return name
	}
	return "earlier"
}
