package diff

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecordings plays the mail of a private Postfix to both servers.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("../../testdata/recordings/*.recording")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	var list []*Transcript
	var all Content
	for _, file := range files {
		read, err := ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, ok := read[0].Content()
		if !ok || c.Connections == 0 || c.Sessions == 0 || c.Lookups == 0 {
			t.Errorf("%s: %+v, a recording: %v", file, c, ok)
		}
		all = Content{all.Connections + c.Connections, all.Sessions + c.Sessions, all.Lookups + c.Lookups, all.Seconds + c.Seconds}
		list = append(list, read...)
	}
	t.Logf("%+v", all)
	report, err := Run(t.Context(), Options{Programs: Programs{Reference: reference(t), Ours: ours(t)}, Transcripts: list})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.WriteText(&text, false); err != nil {
		t.Fatal(err)
	}
	t.Log(text.String())
	if !report.Clean() || report.Played != len(list) {
		t.Errorf("%d of %d recordings played", report.Played, len(list))
	}
}

// TestOfflineRecording refuses a recording without a reference before it plays
// anything: what its sessions' remote ends did is in no recording.
func TestOfflineRecording(t *testing.T) {
	list, err := ReadFile("../../testdata/recordings/plain.recording")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), Options{Programs: Programs{Ours: ours(t)}, Transcripts: list,
		Progress: func(done, total int) { t.Errorf("played %d of %d", done, total) }})
	if err == nil || !strings.Contains(err.Error(), "plain.recording") || !strings.Contains(err.Error(), "a reference is needed") {
		t.Errorf("error %v", err)
	}
}

// TestRecordedOrder makes transcripts of small recordings.
func TestRecordedOrder(t *testing.T) {
	const head = `{"recording":1,"began":1000.000000,"plain":false,"setup":{"ttl_limit":5}}` + "\n"
	for _, tc := range []struct {
		name, lines string
		factor      int
		want        []string
	}{
		{
			"a request that comes while another is served is served after it",
			`{"at":0.1,"client":"1","step":"connect"}
{"at":0.1,"client":"1","recv":"protocol\u0000x\u0000\u0000"}
{"at":0.1,"client":"2","step":"connect"}
{"at":0.1,"client":"2","recv":"protocol\u0000x\u0000\u0000"}
{"at":0.2,"client":"1","step":"send","data":"request\u0000save_endp\u0000ttl\u00002\u0000label\u0000e\u0000property\u0000p\u0000\u0000"}
{"at":0.3,"client":"2","step":"send","data":"request\u0000find_endp\u0000label\u0000e\u0000\u0000"}
{"at":0.4,"client":"1","recv":"dummy\u0000\u0000\u0000"}
{"at":0.5,"client":"1","step":"send","data":"\u0000","fds":1,"token":1}
{"at":0.6,"client":"1","recv":"status\u00000\u0000\u0000"}
{"at":0.7,"client":"2","recv":"status\u00000\u0000property\u0000p\u0000\u0000"}
{"at":0.8,"client":"2","step":"send","data":"dummy\u0000\u0000\u0000"}
{"at":0.8,"client":"2","recv":"\u0000","recv_fds":[1]}
{"at":0.9,"client":"2","step":"send","data":"dummy\u0000\u0000\u0000"}
{"at":0.9,"client":"2","step":"close"}
`, 1,
			[]string{"1: connect", "2: connect", `1: send "request\0save_endp\0ttl\x002\0label\0e\0property\0p\0\0"`,
				`1: send "\0" with 1 descriptors`, `2: find "request\0find_endp\0label\0e\0\0"`, "2: close"},
		},
		{
			"time is left out where nothing expires",
			`{"at":0.1,"client":"1","step":"connect"}
{"at":0.1,"client":"1","recv":"protocol\u0000x\u0000\u0000"}
{"at":0.2,"client":"1","step":"send","data":"request\u0000save_dest\u0000ttl\u00009\u0000label\u0000d\u0000property\u0000p\u0000label\u0000e\u0000\u0000"}
{"at":0.2,"client":"1","recv":"status\u00000\u0000\u0000"}
{"at":3.0,"client":"1","step":"send","data":"request\u0000find_dest\u0000label\u0000d\u0000\u0000"}
{"at":3.0,"client":"1","recv":"status\u00002\u0000property\u0000\u0000property\u0000\u0000\u0000"}
{"at":100.0,"client":"1","step":"close"}
`, 1,
			[]string{"1: connect", `1: send "request\0save_dest\0ttl\09\0label\0d\0property\0p\0label\0e\0\0"`, "wait 3 s",
				`1: find "request\0find_dest\0label\0d\0\0"`, "wait 4 s", "1: close"},
		},
		{
			"recorded speed",
			`{"at":0.1,"client":"1","step":"connect"}
{"at":0.1,"client":"1","recv":"protocol\u0000x\u0000\u0000"}
{"at":100.0,"client":"1","step":"close"}
`, 0,
			[]string{"1: connect", "wait 100 s", "1: close"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			transcript, err := parseRecording("x", []byte(head+tc.lines), tc.factor)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, step := range transcript.Steps {
				got = append(got, step.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
