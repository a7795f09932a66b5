// Package testdata holds the transcripts and scripts that come with the project,
// for its tests and for the tools that run them elsewhere, and what fuzz targets
// have in common.
package testdata

import "embed"

// Files has transcripts/*.json and scenarios/*.in.
//
//go:embed transcripts/*.json scenarios/*.in
var Files embed.FS
