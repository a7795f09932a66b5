package postfix

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"scache/compat/master"
)

// A Process is one process of a Postfix instance.
type Process struct {
	PID  int
	Name string // the program's base name
}

func (p Process) String() string { return fmt.Sprintf("%s[%d]", p.Name, p.PID) }

func (p Process) kill() { syscall.Kill(p.PID, syscall.SIGKILL) }

// readMasterPID reads the file that master(8) leaves its number in.
func (p *Instance) readMasterPID() (int, error) {
	data, err := os.ReadFile(p.dirs.queue + "/pid/master.pid")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(data)))
}

// Processes returns the processes of the instance: the master and those in its
// process group, which every daemon stays in ("postfix stop" relies on it too).
func (p *Instance) Processes() []Process {
	if p.master == 0 {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		if name, state, group, ok := parseStat(string(stat)); ok && group == p.master && state != "Z" {
			found = append(found, Process{PID: pid, Name: name})
		}
	}
	return found
}

// parseStat takes what is wanted here from /proc/PID/stat:
// "4711 (name) S parent group ...". A name may hold anything.
func parseStat(stat string) (name, state string, group int, ok bool) {
	open, shut := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 0 || shut < open {
		return "", "", 0, false
	}
	fields := strings.Fields(stat[shut+1:])
	if len(fields) < 3 {
		return "", "", 0, false
	}
	group, err := strconv.Atoi(fields[2])
	return stat[open+1 : shut], fields[0], group, err == nil
}

// runs tells whether the instance has a process of that name.
func (p *Instance) runs(name string) bool {
	return slices.ContainsFunc(p.Processes(), func(process Process) bool { return process.Name == name })
}

// WaitCache waits until the instance has a connection cache daemon other than
// the process except, and returns its number.
func (p *Instance) WaitCache(except int, timeout time.Duration) (int, error) {
	pid := 0
	if !master.WaitUntil(timeout, func() bool {
		for _, process := range p.Processes() {
			if process.Name == p.CacheProgram() && process.PID != except {
				pid = process.PID
				return true
			}
		}
		return false
	}) {
		return 0, fmt.Errorf("wait for %s: none within %v", p.CacheProgram(), timeout)
	}
	return pid, nil
}
