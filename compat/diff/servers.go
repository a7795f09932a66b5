package diff

import (
	"context"
	"fmt"

	"scache/compat/master"
)

// serverMainCF keeps servers from cutting a ttl, and from ending between scripts.
// The snapshot 20040720 has another name for the limit.
const serverMainCF = "connection_cache_ttl_limit = 1d\nsession_cache_ttl_limit = 1d\nmax_idle = 1d\n"

// A Server is a connection cache server to start.
type Server struct {
	Name, Path string
	Dialect    string // that it speaks; the newest if empty. Ours is told to.
}

func (s Server) options() master.Options {
	o := master.Options{Program: s.Path, MainCF: serverMainCF}
	if s.Dialect != "" {
		o.MainCF += "scached_protocol_version = " + s.Dialect + "\n"
	}
	return o
}

// StartServers starts servers under stand-in masters. The caller calls stop.
func StartServers(ctx context.Context, servers ...Server) (sides []Side, stop func(), err error) {
	var started []*master.Daemon
	stop = func() {
		for _, d := range started {
			d.Close()
		}
	}
	for _, server := range servers {
		d, err := master.Start(ctx, server.options())
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("%s: %w", server.Name, err)
		}
		started = append(started, d)
		sides = append(sides, Side{Name: server.Name, Server: d.Socket(), Dialect: server.Dialect})
	}
	return sides, stop, nil
}
