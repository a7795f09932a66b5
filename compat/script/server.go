package script

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"scache/scached/client"
	"scache/scached/protocol"
)

// A serverStore is the cache of a server: every operation is a request. Its
// sessions are ends of socket pairs.
type serverStore struct {
	runner   *runner
	client   *client.Client // owned
	prefix   string         // of all labels
	sessions sessions
}

// useServer makes the server at path the store, and the wall clock the clock.
func (r *runner) useServer(path, version, prefix string) {
	dialect, ok := protocol.FindDialect(version)
	if !ok {
		r.error("unknown protocol version: %s", version)
		return
	}
	c, err := client.Dial(context.Background(), path, dialect)
	if err != nil {
		r.check("cache_type", err)
		return
	}
	if r.store != nil {
		r.store.close()
	}
	if _, virtual := r.clock.(*virtualClock); virtual {
		r.clock = newWallClock()
	}
	r.store = &serverStore{runner: r, client: c, prefix: prefix, sessions: newSessions()}
}

// useFreshServer makes the server of the options a cache without anything in
// it: nobody else uses labels with such a prefix.
func (r *runner) useFreshServer() {
	r.useServer(r.Server, cmp.Or(r.Version, newestVersion), rand.Text()+"\n")
}

var newestVersion = protocol.Current.Version

// seconds is a time to live as the client takes it.
func seconds(ttl int) time.Duration { return time.Duration(ttl) * time.Second }

func (s *serverStore) saveEndpoint(ttl int, endpoint, property string, number int) error {
	session, err := s.sessions.open(number)
	if err != nil {
		return err
	}
	defer session.CloseLocal()
	session.save, session.line = s.runner.saves, s.runner.line
	if err := s.client.SaveEndpoint(context.Background(), seconds(ttl), s.prefix+endpoint, property, session.Local); err != nil {
		s.sessions.forget(session)
		return err
	}
	return nil
}

func (s *serverStore) saveDestination(ttl int, destination, property, endpoint string) error {
	return s.client.SaveDestination(context.Background(), seconds(ttl), s.prefix+destination, property, s.prefix+endpoint)
}

func (s *serverStore) findEndpoint(endpoint string) (Result, error) {
	descriptor, property, err := s.client.FindEndpoint(context.Background(), s.prefix+endpoint)
	return s.take(Result{EndpProperty: property}, descriptor, err)
}

func (s *serverStore) findDestination(destination string) (Result, error) {
	descriptor, destProperty, endpProperty, err := s.client.FindDestination(context.Background(), s.prefix+destination)
	return s.take(Result{ByDestination: true, DestProperty: destProperty, EndpProperty: endpProperty}, descriptor, err)
}

// take finds out which session came back, and prints the result. It takes
// ownership of the descriptor.
func (s *serverStore) take(result Result, descriptor int, err error) (Result, error) {
	switch {
	case errors.Is(err, client.ErrNotFound):
		result = Result{ByDestination: result.ByDestination}
	case err != nil:
		return Result{}, err
	default:
		session, err := s.sessions.identify(descriptor)
		if err != nil {
			return Result{}, fmt.Errorf("session that was found: %w", err)
		}
		result.Found = true
		result.Session, result.Save, result.Line = session.number, session.save, session.line
	}
	s.runner.out.printable(result.String())
	return result, nil
}

func (s *serverStore) closeRemote(number int) error { return s.sessions.closeRemote(number) }

func (s *serverStore) sayRemote(number int, text string) error {
	return s.sessions.say(number, text+"\r\n")
}

// expire does nothing: the server looks at its clock itself.
func (s *serverStore) expire(int64) {}

func (s *serverStore) close() {
	s.client.Close()
	s.sessions.close()
}
