package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMailOwner(t *testing.T) {
	dir := t.TempDir()
	files := accounts{passwd: filepath.Join(dir, "passwd"), group: filepath.Join(dir, "group")}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(files.passwd, `root:x:0:0:root:/root:/bin/sh
# comment:x:7:7::/:/bin/sh
short:x

toor:x:0:5:second root:/root:/bin/sh
wheel:x:6:0:in root's group:/:/bin/sh
broken:x:nine:9::/:/bin/sh
negative:x:-1:9::/:/bin/sh
postfix:x:102:105::/var/spool/postfix:/usr/sbin/nologin
first:x:200:200::/:/bin/sh
second:x:200:201::/:/bin/sh
last:x:300:301::/:/bin/sh`)
	write(files.group, `root:x:0:
one:x:11:other,postfix
two:x:12:postfixer
three:x:13:postfix
own:x:105:postfix
again:x:11:postfix
bad:x:x:postfix
four:x:14:postfix`)
	tests := []struct {
		name string
		want *account
		err  string
	}{
		{"postfix", &account{"postfix", 102, 105, []int{105, 11, 13, 14}}, ""},
		{"last", &account{"last", 300, 301, []int{301}}, ""},
		{"first", &account{"first", 200, 200, []int{200}}, ""},
		{"second", nil, "user second has same user ID as first"},
		{"root", nil, "user root has privileged user ID"},
		{"toor", nil, "user toor has privileged user ID"},
		{"wheel", nil, "user wheel has privileged group ID"},
		{"nobody-here", nil, "unknown user name value: nobody-here"},
		{"broken", nil, "unknown user name value: broken"},
		{"negative", nil, "unknown user name value: negative"},
		{"short", nil, "unknown user name value: short"},
		{"# comment", nil, "unknown user name value: # comment"},
		{"", nil, "unknown user name value: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := files.mailOwner("DIR/main.cf", test.name)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(account{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want := test.err
			if want != "" {
				want = "file DIR/main.cf: parameter mail_owner: " + want
			}
			if errorText(err) != want {
				t.Errorf("error %q, want %q", errorText(err), want)
			}
		})
	}
}

func TestMailOwnerWithoutFiles(t *testing.T) {
	dir := t.TempDir()
	files := accounts{passwd: filepath.Join(dir, "passwd"), group: filepath.Join(dir, "group")}
	_, err := files.mailOwner("main.cf", "postfix")
	if want := "open " + files.passwd + ": No such file or directory"; errorText(err) != want {
		t.Errorf("error %q, want %q", errorText(err), want)
	}
	if err := os.WriteFile(files.passwd, []byte("postfix:x:1:2::/:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := files.mailOwner("main.cf", "postfix")
	if err != nil || !cmp.Equal(got.groups, []int{2}) {
		t.Errorf("got %+v, %v", got, err)
	}
}
