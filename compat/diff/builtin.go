package diff

import (
	"fmt"
	"io/fs"
	"path"

	"scache/testdata"
)

// BuiltIn returns the transcripts that come with the project.
func BuiltIn() ([]*Transcript, error) {
	names, err := fs.Glob(testdata.Files, "transcripts/*.json")
	if err != nil {
		return nil, err
	}
	var all []*Transcript
	for _, name := range names {
		data, err := testdata.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list, err := Parse(path.Base(name), data)
		if err != nil {
			return nil, fmt.Errorf("built-in transcripts: %w", err)
		}
		all = append(all, list...)
	}
	return all, nil
}
