// Package testdata holds the transcripts and scripts that come with the project,
// for its tests and for the tools that run them elsewhere, and what fuzz targets
// have in common.
package testdata

import "embed"

// Files has transcripts/*.json, clients/*.json, scenarios/*.in and
// scenarios/*.ref.
//
//go:embed transcripts/*.json clients/*.json scenarios/*.in scenarios/*.ref
var Files embed.FS
