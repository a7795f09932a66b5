package daemon

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestBurst(t *testing.T) {
	tests := []struct {
		name    string
		verbose int
		many    bool // no process limit of 1
		args    []string
		records int
		log     []string
	}{
		{name: "quiet", records: 2},
		{name: "one of many processes", many: true, records: 6},
		{
			name: "verbose", verbose: 1, records: 6,
			log: []string{
				"master_notify: status 0", "master_notify: status 1", "master_notify: status 0",
				"master_notify: status 1", "master_notify: status 0", "master_notify: status 1",
			},
		},
		{name: "arguments", args: []string{"a", "b"}, records: 2, log: []string{"fatal: unexpected command-line argument: a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			service := bindLog(t, testSocket(t))
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fds[0])
			defer unix.Close(fds[1])
			p := Process{Log: testLog(), Verbose: test.verbose, Args: test.args, Status: Status{FD: fds[1], PID: 1}, solitary: !test.many}
			defer p.Log.close(t)
			p.Log.exit = func(int) {}
			p.Log.useSyslog("t", service.path)
			for range 3 {
				p.Burst(false)
				p.Burst(true)
			}
			buf := make([]byte, 1000)
			if n, err := unix.Read(fds[0], buf); err != nil || n != 12*test.records {
				t.Errorf("master got %d bytes, %v; want %d records of 12", n, err, test.records)
			}
			service.records = service.drain()
			if diff := cmp.Diff(test.log, service.texts(), cmpEmpty); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBurstWithoutMaster(t *testing.T) {
	service := bindLog(t, testSocket(t))
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fds[0])
	defer unix.Close(fds[1])
	p := Process{Log: testLog(), Verbose: 1, Status: Status{FD: fds[1], PID: 1}}
	defer p.Log.close(t)
	p.Log.useSyslog("t", service.path)
	p.Burst(false)
	service.records = service.drain()
	if diff := cmp.Diff([]string{"master_notify: status 0: Broken pipe"}, service.texts()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}
