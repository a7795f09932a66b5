package scripts

import (
	"errors"
	"fmt"
	"strings"

	"scache/compat/wire"
)

// client takes the name of a client from the front of the words.
func (c *call) client() (*wire.Client, error) {
	if len(c.args) == 0 {
		return nil, errors.New("usage: the name of a client comes first")
	}
	found := c.clients[c.args[0]]
	if found == nil {
		return nil, fmt.Errorf("no client %s", c.args[0])
	}
	c.args = c.args[1:]
	return found, nil
}

// onClient makes a command of a function of a client and of the words after its
// name.
func onClient(run func(c *wire.Client, words []string) error) func(*call) error {
	return func(c *call) error {
		client, err := c.client()
		if err != nil {
			return err
		}
		return run(client, c.args)
	}
}

// connect [-d name] CLIENT...
func connect(c *call) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	for _, name := range c.args {
		if c.clients[name] != nil {
			return fmt.Errorf("client %s is connected", name)
		}
		client, err := wire.Dial(d.Socket(), patience)
		if err != nil {
			return err
		}
		c.clients[name] = client
	}
	return nil
}

// disconnect CLIENT
func disconnect(c *call) error {
	for _, name := range c.args {
		if c.clients[name] == nil {
			return fmt.Errorf("no client %s", name)
		}
		c.clients[name].Close()
		delete(c.clients, name)
	}
	return nil
}

// shutdown CLIENT
// tells the daemon that the client will send nothing more.
func shutdown(c *wire.Client, _ []string) error {
	return c.Finish()
}

// send CLIENT TEXT...
// sends bytes; \0 is a NUL.
func send(c *wire.Client, words []string) error {
	return c.Send(unescape(strings.Join(words, " ")))
}

// request CLIENT NAME=VALUE...
// sends a list of attributes.
func request(c *wire.Client, words []string) error {
	list, err := attributes(words)
	if err != nil {
		return err
	}
	return c.Send(list)
}

// expect CLIENT TEXT...
// reads as many bytes, and compares.
func expect(c *wire.Client, words []string) error {
	return c.Expect(unescape(strings.Join(words, " ")))
}

// answer CLIENT NAME=VALUE...
// reads a list of attributes.
func answer(c *wire.Client, words []string) error {
	list, err := attributes(words)
	if err != nil {
		return err
	}
	return c.Expect(list)
}

// closed CLIENT
// waits until the daemon closes the connection, with nothing more to say.
func closed(c *wire.Client, _ []string) error {
	got, err := c.ReadAll()
	if len(got) > 0 {
		return fmt.Errorf("the daemon sent %q", got)
	}
	return err
}

func attributes(words []string) (string, error) {
	var list []string
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return "", usage("client name=value ...")
		}
		list = append(list, unescape(name), unescape(value))
	}
	return wire.List(list...), nil
}
