package diff

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"scache/testdata"
)

// runScripts runs scripts of cache operations, all at once, on both servers. They
// sleep as long as they say.
func runScripts(ctx context.Context, p Programs, files []string) ([]ScriptResult, error) {
	sides, stop, err := StartServers(ctx,
		Server{Name: "reference", Path: p.Reference, Dialect: p.Dialect}, Server{Name: "ours", Path: p.Ours, Dialect: p.Dialect})
	if err != nil {
		return nil, err
	}
	defer stop()
	return compareScripts(ctx, files, sides), context.Cause(ctx)
}

// BuiltInScripts writes the scripts that come with the project into a directory,
// with what each prints, and returns the names of their files.
func BuiltInScripts(dir string) ([]string, error) {
	names, err := fs.Glob(testdata.Files, "scenarios/*")
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
		if path.Ext(name) == ".in" {
			files = append(files, file)
		}
	}
	return files, nil
}
