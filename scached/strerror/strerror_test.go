package strerror

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

func TestOf(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"none", nil, "Application error"},
		{"a system call's", syscall.ENOENT, "No such file or directory"},
		{"wrapped", fmt.Errorf("open: %w", syscall.EPIPE), "Broken pipe"},
		{"from package os", &os.PathError{Op: "open", Path: "/nowhere", Err: syscall.EMFILE}, "Too many open files"},
		{"time is up", syscall.ETIMEDOUT, "Connection timed out"},
		{"another one", errors.New("bad name"), "bad name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Of(test.err); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
