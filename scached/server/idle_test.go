package server

import (
	"math/rand/v2"
	"testing"
	"time"

	"scache/compat/wire"
)

// TestIdleExit has clients connect in the moment in which a server ends since there
// was none: each is served, by that one or by the next one on the same socket.
func TestIdleExit(t *testing.T) {
	t.Parallel()
	const maxIdle, rounds = time.Millisecond, 300
	listen, path := listener(t)
	over, ended := make(chan struct{}), make(chan int)
	go func() {
		servers := 0
		defer func() { ended <- servers }()
		for ; ; servers++ {
			config := testConfig(listen, &recorder{})
			config.MaxIdle = maxIdle
			s, err := New(config)
			if err == nil {
				err = s.Run()
				s.Close()
			}
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case <-over:
				return
			default:
			}
		}
	}()
	for range rounds {
		c, err := wire.DialGreeted(path, patience)
		if err != nil {
			t.Error(err)
			break
		}
		if err := c.Ask(nothing, wire.Missed); err != nil {
			t.Error(err)
		}
		c.Close()
		time.Sleep(maxIdle/2 + time.Duration(rand.Int64N(int64(maxIdle)))) // a client that comes when it likes
	}
	close(over)
	servers := <-ended
	t.Logf("%d servers for %d clients", servers, rounds)
	if servers < rounds/10 {
		t.Errorf("only %d of them ended since they were idle", servers)
	}
}
