package tap

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Options say where and how to record.
type Options struct {
	Path      string
	SizeLimit int  // bytes of one file
	Files     int  // how many there are at most
	Plain     bool // names and addresses as they are
	TTLLimit  int  // of the server, seconds
}

// A file is what a recording is written to. It is readable by its owner alone, and
// so are those before it.
type file struct {
	path  string
	limit int64
	files int
	file  *os.File // nil after an error, until it can be opened again
	size  int64
}

func newFile(o Options) *file {
	return &file{path: o.Path, limit: int64(o.SizeLimit), files: o.Files}
}

const ownMode = 0o600

// open opens the file or makes it. It follows no link, and writes to nothing but a
// file that belongs to the process's own user.
func (f *file) open() error {
	opened, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK, ownMode)
	if err != nil {
		return err
	}
	var stat unix.Stat_t
	err = unix.Fstat(int(opened.Fd()), &stat)
	switch {
	case err != nil:
	case stat.Mode&unix.S_IFMT != unix.S_IFREG || int(stat.Uid) != os.Geteuid() || stat.Nlink != 1:
		err = errors.New("is no file of one's own")
	default:
		err = opened.Chmod(ownMode)
	}
	if err != nil {
		opened.Close()
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.file, f.size = opened, stat.Size
	return nil
}

// write appends lines, of which a file never has a part unless the disk is full.
func (f *file) write(p []byte) error {
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	if err != nil {
		// Half a line is none.
		f.file.Truncate(f.size - int64(n))
		f.close()
	}
	return err
}

// full tells whether so much more would be too much for the file.
func (f *file) full(more int) bool { return f.size > 0 && f.size+int64(more) > f.limit }

// rotate begins another file. The one before gets the ending .1, that one .2, and
// so on; the last one goes.
func (f *file) rotate() error {
	f.close()
	if f.files == 1 {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for i := f.files - 1; i > 0; i-- {
		if err := os.Rename(numbered(f.path, i-1), numbered(f.path, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return f.open()
}

func numbered(path string, i int) string {
	if i == 0 {
		return path
	}
	return path + "." + strconv.Itoa(i)
}

func (f *file) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}

// readKey returns the key of a recording, and makes one for the first process that
// wants it. It stays beside the recording as long as that goes on, so that a name
// is the same in all of it, and is worth as much as the names themselves.
func readKey(path string) ([]byte, error) {
	key := make([]byte, 32)
	made, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, ownMode)
	if err == nil {
		rand.Read(key) // never fails
		_, err = made.Write(key)
		if err = errors.Join(err, made.Close()); err != nil {
			os.Remove(path)
		}
		return key, err
	}
	if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	opened, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	if n, err := opened.Read(key); err != nil || n != len(key) {
		return nil, fmt.Errorf("%s: no key of %d bytes: %v", path, len(key), err)
	}
	return key, nil
}
