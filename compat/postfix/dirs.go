package postfix

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"scache/compat/master"
)

// dirs are the directories of one instance, all below the first.
type dirs struct {
	top    string
	config string
	queue  string
	data   string
	daemon string
}

func (d *dirs) maillog() string { return d.top + "/log/maillog" }

// build makes the instance's directories and files.
func (p *Instance) build() (err error) {
	top, err := master.TempDir()
	if err != nil {
		return err
	}
	p.dirs = dirs{top: top, config: top + "/etc", queue: top + "/queue", data: top + "/data", daemon: top + "/sbin"}
	for _, dir := range []string{p.dirs.config, p.dirs.queue, p.dirs.queue + "/etc", p.dirs.daemon, top + "/log"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := p.buildDaemonDir(); err != nil {
		return err
	}
	if err := p.buildDataDir(); err != nil {
		return err
	}
	if p.SMTPD, err = freePort(); err != nil {
		return err
	}
	if err := p.buildJail(); err != nil {
		return err
	}
	if err := master.WriteSettled(p.dirs.config+"/main.cf", p.mainCF()); err != nil {
		return err
	}
	services, err := p.masterCF()
	if err != nil {
		return err
	}
	return master.WriteSettled(p.dirs.config+"/master.cf", services)
}

// buildDaemonDir copies the installed daemons and puts ours beside them, or in
// the place of one that is installed: master(8) runs what is in daemon_directory
// and nothing else. Symbolic links would do, but "postfix start" warns of each.
func (p *Instance) buildDaemonDir() error {
	entries, err := os.ReadDir(p.own.DaemonDir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || p.options.Cache != "" && entry.Name() == p.CacheProgram() {
			continue
		}
		if err := copyProgram(filepath.Join(p.own.DaemonDir, entry.Name()), filepath.Join(p.dirs.daemon, entry.Name())); err != nil {
			return err
		}
	}
	if p.options.Cache == "" {
		return nil
	}
	return copyProgram(p.options.Cache, filepath.Join(p.dirs.daemon, filepath.Base(p.options.Cache)))
}

// copyProgram makes a copy that its owner alone may change and everybody may
// execute, and refuses to overwrite.
func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	if err := out.Chmod(0o755); err != nil { // whatever the umask
		out.Close()
		return err
	}
	return out.Close()
}

func (p *Instance) buildDataDir() error {
	owner, err := user.Lookup("postfix")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return err
	}
	if err := os.Mkdir(p.dirs.data, 0o700); err != nil {
		return err
	}
	return os.Chown(p.dirs.data, uid, -1)
}

// buildJail makes what the daemons in the jail look names up in. Without
// "multi on" a name has one address in a hosts file.
func (p *Instance) buildJail() error {
	if len(p.options.Hosts) == 0 {
		return nil
	}
	if err := os.WriteFile(p.dirs.queue+"/etc/host.conf", []byte("multi on\n"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(p.dirs.queue+"/etc/hosts", []byte(strings.Join(p.options.Hosts, "\n")+"\n"), 0o644)
}

// freePort finds a port that nobody listens on. Between here and its use
// anybody may take it, so every instance has an address of its own in 127/8.
func freePort() (netip.AddrPort, error) {
	host := PrivateLoopback()
	listener, err := net.Listen("tcp4", netip.AddrPortFrom(host, 0).String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).AddrPort(), nil
}

// mainCF returns the text of main.cf. Nothing in it makes a daemon ask a name
// server, and failed deliveries are tried again within seconds.
func (p *Instance) mainCF() string {
	lines := []string{
		"compatibility_level = 3.6",
		"queue_directory = " + p.dirs.queue,
		"data_directory = " + p.dirs.data,
		"daemon_directory = " + p.dirs.daemon,
		"mail_owner = postfix",
		"setgid_group = postdrop",
		"myhostname = mail.example.test",
		"mydomain = example.test",
		"mydestination =",
		"mynetworks = 127.0.0.0/8",
		"alias_maps =",
		"alias_database =",
		"local_recipient_maps =",
		"notify_classes =",
		"inet_interfaces = 127.0.0.1",
		"inet_protocols = ipv4",
		"smtp_dns_support_level = disabled",
		"smtpd_peername_lookup = no",
		"smtpd_relay_restrictions = permit_mynetworks, reject",
		"smtpd_tls_security_level = none",
		"in_flow_delay = 0",
		"minimal_backoff_time = 2s",
		"maximal_backoff_time = 4s",
		"queue_run_delay = 2s",
		"transport_retry_time = 2s",
	}
	if !p.options.Syslog {
		lines = append(lines,
			"maillog_file = "+p.dirs.maillog(),
			"maillog_file_prefixes = "+p.dirs.top)
	}
	return strings.Join(append(lines, p.options.Main...), "\n") + "\n"
}

// masterCF returns Postfix's own master.cf with smtpd(8) on our port, our
// additions, and the scache service's words that are under test. The queue
// manager is woken more often: when a reload comes in the moment after the last
// message, nobody else would wake the new one for five minutes.
func (p *Instance) masterCF() (string, error) {
	proto, err := os.ReadFile(filepath.Join(p.own.MetaDir, "master.cf.proto"))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	var seen []string
	for line := range strings.Lines(string(proto)) {
		fields := strings.Fields(line)
		if len(fields) < 8 || strings.HasPrefix(line, "#") || line[0] == ' ' {
			b.WriteString(line)
			continue
		}
		switch name := fields[0] + "/" + fields[1]; name {
		case "smtp/inet":
			fields[0] = p.SMTPD.String()
			seen = append(seen, name)
		case "qmgr/unix":
			fields[5] = "2"
			seen = append(seen, name)
		case "scache/unix":
			fields[4] = "y"
			if p.options.NoChroot {
				fields[4] = "n"
			}
			fields[7] = p.CacheProgram()
			fields = append(fields, p.options.CacheArgs...)
			seen = append(seen, name)
		}
		b.WriteString(strings.Join(fields, " ") + "\n")
	}
	if slices.Sort(seen); !slices.Equal(seen, []string{"qmgr/unix", "scache/unix", "smtp/inet"}) {
		return "", fmt.Errorf("unexpected services in master.cf.proto: %v", seen)
	}
	for _, line := range p.options.Master {
		b.WriteString(line + "\n")
	}
	return b.String(), nil
}

var loopbacks atomic.Uint32

// PrivateLoopback returns an address in 127/8 that this process has not
// returned lately and that other processes hardly ever use.
func PrivateLoopback() netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, 100 + byte(loopbacks.Add(1)%100), byte(pid >> 8), byte(pid)})
}
