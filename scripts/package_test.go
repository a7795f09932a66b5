package scripts

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scache/compat/master"
	"scache/compat/testbed"
)

// makeAt runs make in the root of the project, with another place for what is
// built.
func makeAt(t *testing.T, bin string, args ...string) {
	t.Helper()
	cmd := exec.Command("make", append([]string{"-s", "-C", "..", "BIN=" + bin}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func one(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}

// The package is installed with dpkg, mail goes through a Postfix that uses it,
// Postfix is installed again, the package is removed.
func TestPackage(t *testing.T) {
	testbed.NeedRoot(t)
	if !master.MayMount() {
		testbed.SkipLocally(t, master.ErrNoMount.Error())
	}
	dir := t.TempDir()
	download := exec.Command("apt-get", "download", "-qq", "postfix")
	download.Dir = dir
	if out, err := download.CombinedOutput(); err != nil {
		testbed.SkipLocally(t, "Debian's postfix cannot be had: "+string(out))
	}
	makeAt(t, filepath.Join(dir, "bin"), "deb")
	listing, err := exec.Command("dpkg-deb", "--contents", one(t, dir+"/bin/dist/scached_*.deb")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/usr/lib/postfix/sbin/scachetap\n", "/man8/scachetap.8"} {
		if !strings.Contains(string(listing), name) {
			t.Errorf("%s is not in the package:\n%s", strings.TrimSpace(name), listing)
		}
	}
	try := exec.Command("package/try", one(t, dir+"/bin/dist/scached_*.deb"), one(t, dir+"/postfix_*.deb"))
	if out, err := try.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What is built for others comes out the same, wherever and whenever it is built.
func TestDistribution(t *testing.T) {
	sums := func(bin string, umask string) map[string][sha256.Size]byte {
		cmd := exec.Command("sh", "-c", "umask "+umask+"; exec make -s -C .. BIN="+bin+" dist deb")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		found, err := filepath.Glob(bin + "/dist/*")
		if err != nil {
			t.Fatal(err)
		}
		list := map[string][sha256.Size]byte{}
		for _, path := range found {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			list[filepath.Base(path)] = sha256.Sum256(data)
		}
		return list
	}
	first := filepath.Join(t.TempDir(), "first")
	want, got := sums(first, "022"), sums(filepath.Join(t.TempDir(), "another"), "077")
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 3 {
		t.Errorf("%d archives and packages (-first +second):\n%s", len(want), diff)
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		dir := t.TempDir()
		if out, err := exec.Command("tar", "-C", dir, "-xzf", one(t, first+"/dist/scached-*-linux-"+arch+".tar.gz")).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, name := range []string{"scached", "scachectl", "scachetap", "scached.cf", "man/man8/scached.8", "man/man8/scachetap.8", "completion/_scachectl"} {
			one(t, dir+"/*/"+name)
		}
		for _, name := range []string{"scached", "scachetap"} {
			program, err := elf.Open(one(t, dir+"/*/"+name))
			if err != nil {
				t.Fatal(err)
			}
			program.Close()
			if program.Machine != machine {
				t.Errorf("the archive for %s has a %s for %v", arch, name, program.Machine)
			}
		}
	}
	staged := t.TempDir()
	makeAt(t, first, "install", "DESTDIR="+staged, "PREFIX=/opt/scache")
	for _, name := range []string{"sbin/scached", "sbin/scachectl", "sbin/scachetap", "share/man/man8/scachetap.8", "share/man/man5/scached.cf.5", "lib/systemd/system/scached-exporter.service"} {
		one(t, staged+"/opt/scache/"+name)
	}
}

// outside is a module of somebody else.
const outside = `package main

import (
	"context"
	"fmt"

	"scache/attrproto"
	"scache/scached/client"
	"scache/scached/protocol"
)

func main() {
	list, err := attrproto.Plain.AppendString(nil, "request", "find_endp")
	fmt.Printf("%s%v\n", list, err)
	_, err = client.Dial(context.Background(), "/nowhere/scache", protocol.Dialects[0])
	fmt.Println(err)
}
`

// The module has no host. It can be imported all the same, in both of the ways
// that the README tells.
func TestImport(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, commands := range map[string]string{
		"go.work": "go work init . $SCACHE",
		"replace": "go mod edit -replace scache=$SCACHE -require scache@v0.0.0\ngo mod tidy",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(outside), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("sh", "-ec", "go mod init example.com/outside\n"+commands+"\ngo run .")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "SCACHE="+root, "GOWORK=", "GOFLAGS=-buildvcs=false")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			if want := "request=find_endp\n<nil>\n"; !strings.HasPrefix(string(out), want) || !strings.Contains(string(out), "no such file") {
				t.Errorf("printed %q", out)
			}
		})
	}
}
