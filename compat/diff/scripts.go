package diff

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"scache/testdata"
)

// A ScriptResult is what came of a script of cache operations.
type ScriptResult struct {
	Name        string   `json:"name"`
	Summary     string   `json:"summary"`
	Differences []string `json:"differences,omitempty"`
}

// runScripts runs scripts of cache operations, all at once, on both servers. They
// sleep as long as they say.
func runScripts(ctx context.Context, p Programs, files []string) ([]ScriptResult, error) {
	sides, stop, err := StartServers(ctx,
		Server{Name: "reference", Path: p.Reference}, Server{Name: "ours", Path: p.Ours})
	if err != nil {
		return nil, err
	}
	defer stop()
	var out bytes.Buffer
	err = CompareScripts(files, sides, &out)
	if errors.Is(err, ErrDifferent) && ctx.Err() == nil {
		err = nil // the results tell
	}
	return parseSummaries(out.String()), err
}

// parseSummaries reads what CompareFiles writes: a line for each script, and
// after it its differences, indented.
func parseSummaries(text string) []ScriptResult {
	var results []ScriptResult
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if difference, ok := strings.CutPrefix(line, "    "); ok && len(results) > 0 {
			last := &results[len(results)-1]
			last.Differences = append(last.Differences, difference)
			continue
		}
		name, summary, _ := strings.Cut(line, " ")
		results = append(results, ScriptResult{Name: name, Summary: strings.TrimSpace(summary)})
	}
	return results
}

// BuiltInScripts writes the scripts that come with the project into a directory.
func BuiltInScripts(dir string) ([]string, error) {
	names, err := fs.Glob(testdata.Files, "scenarios/*.in")
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range names {
		data, err := testdata.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, path.Base(name))
		if err := os.WriteFile(file, data, 0o666); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
