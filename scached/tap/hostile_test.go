package tap

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"scache/compat/wire"
	"scache/scached/protocol"
)

// TestHostileClients has clients send as much as they can and read nothing. Another
// client is served meanwhile, and nothing is left when they have gone.
func TestHostileClients(t *testing.T) {
	session := sessions(t, 1)
	lookup := []byte("request\x00find_endp\x00label\x00nothing\x00\x00")
	for _, tc := range []struct {
		name   string
		data   []byte
		rights []int
	}{
		{"reads no answers", bytes.Repeat(lookup, 100), nil},
		{"descriptors without requests", []byte{0}, session},
		{"many descriptors in a message", []byte{0}, slices.Repeat(session, maxDescriptors)},
		{"a request without an end", bytes.Repeat([]byte("request"), 1000), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := startServer(t, protocol.Current)
			tap := startTap(t, path, Options{})
			honest, err := wire.DialGreeted(tap.path, patience)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(honest.Close)
			cycle := func(i int) {
				t.Helper()
				endpoint := fmt.Sprint("endpoint", i)
				begin := time.Now()
				if err := honest.Save(endpoint, "100", session[0]); err != nil {
					t.Fatal(err)
				}
				found, err := honest.Find(endpoint)
				if err != nil {
					t.Fatal(err)
				}
				unix.Close(found)
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("the other client waits for %v", took)
				}
			}
			cycle(0)
			before := openDescriptors(t)
			var hostile []*wire.Client
			for range 4 {
				c, err := wire.Dial(tap.path, patience)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				hostile = append(hostile, c)
			}
			sent := 0
			for i := range 20 {
				for _, c := range hostile {
					sent += flood(c.FD(), tc.data, tc.rights)
				}
				cycle(i)
			}
			if sent == 0 {
				t.Error("nothing was sent")
			}
			for _, c := range hostile {
				c.Close()
			}
			after := openDescriptors(t)
			for deadline := time.Now().Add(patience); after > before && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				after = openDescriptors(t)
			}
			if after > before {
				t.Errorf("%d descriptors before, %d after", before, after)
			}
		})
	}
}

// flood sends a message as often as there is room for it, up to a thousand times.
func flood(fd int, data []byte, rights []int) (sent int) {
	var control []byte
	if len(rights) > 0 {
		control = unix.UnixRights(rights...)
	}
	for range 1000 {
		if _, err := unix.SendmsgN(fd, data, control, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL); err != nil {
			break
		}
		sent++
	}
	return sent
}
