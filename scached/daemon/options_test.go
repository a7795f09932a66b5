package daemon

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseOptions(t *testing.T) {
	defaults := func(change func(*Options)) Options {
		o := Options{Service: "scached", Sockets: 1}
		change(&o)
		return o
	}
	tests := []struct {
		name string
		args []string
		want Options
		err  string
	}{
		{name: "nothing", want: defaults(func(o *Options) {})},
		{
			name: "as master starts it",
			args: []string{"-l", "-n", "scache", "-t", "unix", "-u", "-c"},
			want: defaults(func(o *Options) {
				o.Solitary, o.Service, o.Transport, o.HasTransport = true, "scache", "unix", true
				o.Unprivileged, o.Chroot = true, true
			}),
		},
		{
			name: "clustered",
			args: []string{"-dDlSuVzvvtunix", "-s3"},
			want: defaults(func(o *Options) {
				o.Interactive, o.Debug, o.Solitary, o.Stream, o.Unprivileged = true, true, true, true, true
				o.Stderr, o.Unlimited, o.Verbose = true, true, 2
				o.Transport, o.HasTransport, o.Sockets = "unix", true, 3
			}),
		},
		{
			name: "assignments keep their order",
			args: []string{"-oa=1", "-i", "5", "-o", " max_idle = 7 s ", "-m", "9", "-o", "a="},
			want: defaults(func(o *Options) {
				o.Assignments = []Assignment{{"a", "1"}, {"max_idle", "5"}, {"max_idle", "7 s"}, {"max_use", "9"}, {"a", ""}}
			}),
		},
		{
			name: "empty values",
			args: []string{"-n", "", "-t", ""},
			want: defaults(func(o *Options) { o.Service, o.HasTransport = "", true }),
		},
		{
			name: "stops at an argument",
			args: []string{"-v", "word", "-v"},
			want: defaults(func(o *Options) { o.Verbose, o.Args = 1, []string{"word", "-v"} }),
		},
		{
			name: "stops at a dash",
			args: []string{"-v", "-", "-v"},
			want: defaults(func(o *Options) { o.Verbose, o.Args = 1, []string{"-", "-v"} }),
		},
		{
			name: "stops after two dashes",
			args: []string{"-v", "--", "-v"},
			want: defaults(func(o *Options) { o.Verbose, o.Args = 1, []string{"-v"} }),
		},
		{
			name: "two dashes as a value",
			args: []string{"-n", "--", "-v"},
			want: defaults(func(o *Options) { o.Service, o.Verbose = "--", 1 }),
		},
		{
			name: "unknown letter, after others",
			args: []string{"-VlZ", "-v"},
			want: defaults(func(o *Options) { o.Stderr, o.Solitary = true, true }),
			err:  "invalid option: Z",
		},
		{name: "colon", args: []string{"-:"}, want: defaults(func(*Options) {}), err: "invalid option: :"},
		{name: "long option", args: []string{"--version"}, want: defaults(func(*Options) {}), err: "invalid option: -"},
		{name: "value missing", args: []string{"-o"}, want: defaults(func(*Options) {}), err: "invalid option: o"},
		{
			name: "no equals sign",
			args: []string{"-o", "foo"},
			want: defaults(func(*Options) {}),
			err:  `invalid "-o foo" option value: missing '=' after attribute name`,
		},
		{
			name: "no name",
			args: []string{"-o=foo"},
			want: defaults(func(*Options) {}),
			err:  `invalid "-o =foo" option value: missing attribute name`,
		},
		{
			name: "no sockets",
			args: []string{"-s", "0"},
			want: defaults(func(o *Options) { o.Sockets = 0 }),
			err:  "invalid socket_count: 0",
		},
		{
			name: "sockets are no number",
			args: []string{"-s", "many"},
			want: defaults(func(o *Options) { o.Sockets = 0 }),
			err:  "invalid socket_count: many",
		},
		{name: "sockets with more after them", args: []string{"-s", " +2x"}, want: defaults(func(o *Options) { o.Sockets = 2 })},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseOptions("scached", test.args)
			if len(got.Args) == 0 {
				got.Args = nil
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
			if errorText(err) != test.err {
				t.Errorf("error %q, want %q", errorText(err), test.err)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
