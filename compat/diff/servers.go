package diff

import (
	"context"
	"fmt"

	"scache/compat/master"
)

// serverMainCF keeps servers from cutting a ttl, and from ending between scripts.
const serverMainCF = "connection_cache_ttl_limit = 1d\nmax_idle = 1d\n"

// A Server is a connection cache server to start.
type Server struct{ Name, Path string }

// StartServers starts servers under stand-in masters. The caller calls stop.
func StartServers(ctx context.Context, programs ...Server) (sides []Side, stop func(), err error) {
	var started []*master.Daemon
	stop = func() {
		for _, d := range started {
			d.Close()
		}
	}
	for _, program := range programs {
		d, err := master.Start(ctx, master.Options{Program: program.Path, MainCF: serverMainCF})
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("%s: %w", program.Name, err)
		}
		started = append(started, d)
		sides = append(sides, Side{Name: program.Name, Server: d.Socket()})
	}
	return sides, stop, nil
}
