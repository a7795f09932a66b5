package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"scache/scached/client"
	"scache/scached/protocol"
)

// A session for a destination: one that is cached, or else a new one, which is
// cached after use.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cache, err := client.Dial(ctx, "/var/spool/postfix/private/scache", protocol.Current)
	if err != nil {
		fmt.Println("no Postfix here")
		return
	}
	defer cache.Close()
	destination, endpoint := "smtp\nexample.com\n25\n", "smtp\n192.0.2.25\n25\n"
	session, _, _, err := cache.FindDestination(ctx, destination)
	if errors.Is(err, client.ErrNotFound) {
		session, err = connect("192.0.2.25:25")
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer unix.Close(session) // the cache has a descriptor of its own afterwards
	// ... send mail over it ...
	err = cache.SaveDestination(ctx, 2*time.Second, destination, "", endpoint)
	if err == nil {
		err = cache.SaveEndpoint(ctx, 2*time.Second, endpoint, "", session)
	}
	if err != nil {
		fmt.Println(err)
	}
}

// connect begins an SMTP session.
func connect(address string) (session int, err error) {
	return -1, errors.New("not in this example: " + address)
}
