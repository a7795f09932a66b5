package diff

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// ErrDifferent means that two sides do not agree; the output tells in what.
var ErrDifferent = errors.New("the servers differ")

// maxSleep is how many seconds a script may sleep to be run in real time.
const maxSleep = 30

// CompareScripts runs each script on all sides, all scripts at once, and writes
// to out what differs.
func CompareScripts(files []string, sides []Side, out io.Writer) error {
	reports := make([]scriptReport, len(files))
	var wait sync.WaitGroup
	for i, file := range files {
		wait.Go(func() { reports[i] = reportOn(file, sides) })
	}
	wait.Wait()
	var errs []error
	for i, r := range reports {
		name := strings.TrimSuffix(filepath.Base(files[i]), ".in")
		fmt.Fprintf(out, "%-30s %s\n", name, r.summary)
		for _, difference := range r.differences {
			fmt.Fprintf(out, "    %s\n", difference)
			errs = []error{ErrDifferent}
		}
	}
	for i, r := range reports {
		if r.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", files[i], r.err))
		}
	}
	return errors.Join(errs...)
}

type scriptReport struct {
	summary     string
	differences []string
	err         error
}

func reportOn(file string, sides []Side) (r scriptReport) {
	text, err := os.ReadFile(file)
	if err != nil {
		return scriptReport{"not read", nil, err}
	}
	if reason := unfit(string(text)); reason != "" {
		return scriptReport{"left out: " + reason, nil, nil}
	}
	lookups, differences, err := CompareScript(string(text), sides)
	r = scriptReport{fmt.Sprintf("%d lookups, the same", lookups), differences, err}
	switch {
	case err != nil:
		r.summary = "not compared"
	case len(differences) > 0:
		r.summary = fmt.Sprintf("%d lookups, DIFFERENT", lookups)
	}
	return r
}

// unfit tells why a script cannot be run on servers.
func unfit(text string) string {
	sleep := 0
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) != 2 {
			continue
		}
		switch seconds, _ := strconv.Atoi(words[1]); {
		case words[0] == "sleep":
			sleep += seconds
		case words[0] == "cache_type" && words[1] == "single":
			return "a server is never of the type single"
		}
	}
	if sleep > maxSleep {
		return fmt.Sprintf("it sleeps %d seconds", sleep)
	}
	return ""
}
