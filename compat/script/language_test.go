package script

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runText returns what a script prints, without the echo of its lines.
func runText(t *testing.T, text string, o Options) (string, error) {
	t.Helper()
	var out bytes.Buffer
	o.Out = &out
	err := Run(strings.NewReader(text), o)
	var b strings.Builder
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, ">>> ") {
			b.WriteString(line)
		}
	}
	return b.String(), err
}

func TestExtended(t *testing.T) {
	const usage = "unknown: error: usage: "
	for _, test := range []struct {
		name   string
		script string // after "verbose 0" and "cache_type multi"
		want   string
	}{
		{"size", "size\nsave_endp 1 a p 12\nsave_endp 1 a p 13\nsave_dest 1 d p a\nsave_dest 1 e p a\nsize\nsize 2 1 2",
			"size: destinations=0 endpoints=0 sessions=0\nsize: destinations=2 endpoints=1 sessions=2\n"},
		{"size is wrong", "size 0 0 1", "unknown: error: size: expected destinations=0 endpoints=0 sessions=1, have destinations=0 endpoints=0 sessions=0\n"},
		{"size with one number", "size 1", usage + "size [destinations endpoints sessions]\n"},
		{"expect", "save_endp 1 a p 12\nsave_endp 1 a q 13\nsave_dest 1 d r a\nfind_endp a\nexpect FOUND\nexpect FOUND p\nfind_dest d\nexpect FOUND r q\nfind_dest d\nexpect MISS\nfind_endp a\nexpect MISS", ""},
		{"expect other properties", "save_endp 1 a p 12\nfind_endp a\nexpect FOUND q", "unknown: error: expected FOUND q, have found: endp_prop=p fd=12\n"},
		{"expect a miss", "save_dest 1 d r a\nsave_endp 1 a p 12\nfind_dest d\nexpect MISS", "unknown: error: expected MISS, have found: dest_prop=r endp_prop=p fd=12\n"},
		{"expect what is missed", "find_dest d\nexpect FOUND a b", "unknown: error: expected FOUND a b, have not found\n"},
		{"expect nothing in particular", "find_dest d\nexpect", usage + "expect FOUND|MISS [dest_props] [endp_props]\n"},
		{"expect something else", "find_dest d\nexpect found", usage + "expect FOUND|MISS [dest_props] [endp_props]\n"},
		{"expect too much", "save_endp 1 a p 12\nfind_endp a\nexpect FOUND p p", usage + "expect FOUND|MISS [dest_props] [endp_props]\n"},
		{"expect without a lookup", "expect MISS", "unknown: error: expect: no lookup before it\n"},
		{"repeat", "repeat 3\n# nothing\nsave_endp $n a p$n 1$n\nend\nsize 0 1 3\nrepeat 3\nfind_endp a\nexpect FOUND p$n\nend\nsize 0 0 0", ""},
		{"repeat in repeat", "repeat 2\nsave_dest 9 d$n p a\nrepeat 3\nsave_dest 9 e$n p a\nend\nsave_dest 9 f$n p a\nend\nsize 7 0 0", ""},
		{"repeat without end", "repeat 2\nsize", "unknown: error: repeat: no end\n"},
		{"repeat never", "repeat 0\nend", usage + "repeat count\nunknown: error: end: no repeat\n"},
		{"close and say", "save_endp 1 a p 12\nsave_endp 1 a q 13\nsave_endp 1 a r 14\nclose 12\nsay 13 421 bye\nfind_endp a\nexpect FOUND r\nsize 0 0 0", ""},
		{"close the number, use it again", "save_endp 1 a p 12\nclose 12\nfind_endp a\nexpect MISS\nsave_endp 1 a p 12\nfind_endp a\nexpect FOUND p", ""},
		{"close what is not there", "close 12\nsay 12 hello", "unknown: error: close: no session 12\nunknown: error: say: no session 12\n"},
		{"say nothing", "say 12", usage + "say fd text\n"},
		{"help", "?", "commands: cache_type save_endp find_endp save_dest find_dest sleep verbose ? size expect close say repeat end\n"},
		{"more errors than the reference stands", strings.Repeat("x\n", 15), strings.Repeat("unknown: error: bad command: x\n", 15)},
		{"no server", "cache_type server /nonexistent/socket", "unknown: error: cache_type: connection cache: connect to /nonexistent/socket: no such file or directory\n"},
		{"no such protocol", "cache_type server /nonexistent/socket 1.0", "unknown: error: unknown protocol version: 1.0\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := runText(t, "verbose 0\ncache_type multi\n"+test.script, Options{Extended: true})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if failed := strings.Contains(test.want, "error:"); errors.Is(err, ErrFailed) != failed {
				t.Errorf("ended with %v; an error is due: %v", err, failed)
			}
		})
	}
}

func TestExtendedSingle(t *testing.T) {
	got, err := runText(t, "cache_type single\nsave_endp 1 a p 12\nclose 12\nfind_endp a\nexpect MISS\nsize 0 0 0", Options{Extended: true})
	want := "unknown: scache_single_save_endp: a fd=12\nunknown: scache_single_free_endp: a\nunknown: scache_single_find_endp: not found: a\n"
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ended with %v; output (-want +got):\n%s", err, diff)
	}
}

func TestExtendedIsRefused(t *testing.T) {
	for _, command := range []string{"size", "expect MISS", "close 12", "say 12 bye", "repeat 2", "end"} {
		got, err := runText(t, "cache_type multi\n"+command, Options{})
		if want := "unknown: error: bad command: " + split(command)[0] + "\n"; got != want || !errors.Is(err, ErrFailed) {
			t.Errorf("%s: printed %q (%v), want %q", command, got, err, want)
		}
	}
}

// What no file of scenarios can hold, or what the reference crashes on.
func TestLanguage(t *testing.T) {
	for _, test := range []struct {
		name, script, want string
	}{
		{"empty", "", ""},
		{"no line end", "verbose 1\ncache_type multi\nfind_endp a", "unknown: scache_multi_find_endp: no endpoint cache: endp_label=a\n"},
		{"NUL", "cache_type multi\nfind_endp a\x00b c\n", "unknown: scache_multi_find_endp: no endpoint cache: endp_label=a\n"},
		{"unprintable", "cache_type multi\nfind_endp \x01\xff\xe9\n", "unknown: scache_multi_find_endp: no endpoint cache: endp_label=???\n"},
		{"verbose unless told", "cache_type single\nfind_endp a", "unknown: scache_single_find_endp: no endpoint cache: a\n"},
		{"an unknown cache type keeps the cache", "verbose 0\ncache_type multi\nsave_endp 1 a p 12\ncache_type lru\nverbose 1\nfind_endp a",
			"unknown: error: unknown cache type: lru\nunknown: scache_multi_find_endp: found: endp_label=a -> endp_prop=p fd=12\nunknown: scache_multi_drop_endp: endp_prop=p fd=-1\n"},
		{"help", "?", "commands: cache_type save_endp find_endp save_dest find_dest sleep verbose ?\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := runText(t, test.script, Options{})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if failed := strings.Contains(test.want, "error:"); errors.Is(err, ErrFailed) != failed {
				t.Errorf("ended with %v; an error is due: %v", err, failed)
			}
		})
	}
}

func TestAlwaysVerbose(t *testing.T) {
	got, err := runText(t, "verbose 0\ncache_type single\nsave_dest 1 d p a\nsave_endp 1 a p 12\n", Options{AlwaysVerbose: true})
	want := "unknown: scache_single_save_dest: d -> a\nunknown: scache_single_save_endp: a fd=12\n" +
		"unknown: scache_single_free_endp: a\nunknown: scache_single_free_dest: d -> a\n"
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ended with %v; output (-want +got):\n%s", err, diff)
	}
}

func TestRealTime(t *testing.T) {
	const script = "verbose 1\ncache_type multi\nsave_endp 1 a p 12\nsleep 1\n"
	want := "unknown: scache_multi_save_endp: endp_label=a -> endp_prop=p fd=12\nunknown: scache_multi_drop_endp: endp_prop=p fd=12\n"
	before := time.Now().Unix()
	got, err := runText(t, script, Options{RealTime: true})
	if after := time.Now().Unix(); after == before {
		t.Error("no second has passed")
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("ended with %v; output (-want +got):\n%s", err, diff)
	}
}
