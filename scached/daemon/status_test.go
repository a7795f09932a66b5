package daemon

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// channels are the two kinds of status channel: a socket pair as on Linux, and
// a pipe. The first descriptor is master's.
var channels = map[string]func() ([2]int, error){
	"socket": func() ([2]int, error) {
		return unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	},
	"pipe": func() (fds [2]int, err error) {
		err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
		return fds, err
	},
}

func eachChannel(t *testing.T, test func(t *testing.T, master, ours int)) {
	for name, open := range channels {
		t.Run(name, func(t *testing.T) {
			fds, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fds[0])
			defer unix.Close(fds[1])
			test(t, fds[0], fds[1])
		})
	}
}

func TestNotify(t *testing.T) {
	eachChannel(t, func(t *testing.T, master, ours int) {
		s := Status{FD: ours, PID: 4711, Generation: 0xfffffff0}
		for _, state := range []int{StateTaken, StateAvailable} {
			if err := s.Notify(state); err != nil {
				t.Fatal(err)
			}
		}
		buf := make([]byte, 100)
		n, err := unix.Read(master, buf)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint32
		for at := 0; at < n; at += 4 {
			got = append(got, binary.NativeEndian.Uint32(buf[at:]))
		}
		if diff := cmp.Diff([]uint32{4711, 0xfffffff0, 0, 4711, 0xfffffff0, 1}, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		s.WithoutGeneration = true
		if err := s.Notify(StateAvailable); err != nil {
			t.Fatal(err)
		}
		if n, err = unix.Read(master, buf); err != nil || n != 8 ||
			binary.NativeEndian.Uint32(buf) != 4711 || binary.NativeEndian.Uint32(buf[4:]) != 1 {
			t.Errorf("without a generation: %d bytes, %v: %x", n, err, buf[:max(n, 0)])
		}
	})
}

func TestNotifyDoesNotAllocate(t *testing.T) {
	eachChannel(t, func(t *testing.T, master, ours int) {
		s := Status{FD: ours, PID: 1}
		if n := testing.AllocsPerRun(50, func() { s.Notify(StateTaken) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// A master that does not read must not stop us, and the flags of the channel,
// which it shares with us, must stay as they are.
func TestNotifyNeverBlocks(t *testing.T) {
	eachChannel(t, func(t *testing.T, master, ours int) {
		s := Status{FD: ours, PID: 1}
		records := 0
		err := error(nil)
		for ; err == nil; records++ {
			err = s.Notify(StateTaken)
		}
		if err != unix.EAGAIN {
			t.Fatalf("full channel: %v", err)
		}
		flags, err := unix.FcntlInt(uintptr(ours), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_NONBLOCK != 0 {
			t.Errorf("flags %#x, %v", flags, err)
		}
		// What is in the channel is whole records.
		total := 0
		buf := make([]byte, 1<<16)
		for total < (records-1)*12 {
			n, err := unix.Read(master, buf)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
		if total != (records-1)*12 {
			t.Errorf("%d bytes in the channel, want %d records of 12", total, records-1)
		}
		if err := s.Notify(StateAvailable); err != nil {
			t.Errorf("emptied channel: %v", err)
		}
	})
}

func TestNotifyWithoutMaster(t *testing.T) {
	eachChannel(t, func(t *testing.T, master, ours int) {
		// A test must not close the descriptor twice.
		if _, err := unix.FcntlInt(uintptr(master), unix.F_GETFD, 0); err != nil {
			t.Fatal(err)
		}
		null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(null)
		if err := unix.Dup3(null, master, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		if err := (&Status{FD: ours}).Notify(StateTaken); err != unix.EPIPE {
			t.Errorf("got %v, want %v", err, unix.EPIPE)
		}
	})
}
