package lockstep

import (
	"context"
	"fmt"

	"scache/compat"
)

// mainCF keeps servers from cutting a ttl, and from ending between scripts.
const mainCF = "connection_cache_ttl_limit = 1d\nmax_idle = 1d\n"

// A Program is a connection cache server to start.
type Program struct{ Name, Path string }

// Start starts servers under stand-in masters. The caller calls stop.
func Start(ctx context.Context, programs ...Program) (sides []Side, stop func(), err error) {
	var started []*compat.Daemon
	stop = func() {
		for _, d := range started {
			d.Close()
		}
	}
	for _, program := range programs {
		d, err := compat.Start(ctx, compat.Options{Program: program.Path, MainCF: mainCF})
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("%s: %w", program.Name, err)
		}
		started = append(started, d)
		sides = append(sides, Side{Name: program.Name, Server: d.Socket()})
	}
	return sides, stop, nil
}
