package testdata

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
)

// A Client is what the client library of a version of Postfix and the connection
// cache of that version said to each other: clients/VERSION.json.
type Client struct {
	Version string
	Dialect string // the first version that speaks as this one does
	Steps   []ClientStep
}

// A ClientStep is one of these: a call of the library (Op), a connection, or a
// message, which is to the server or from it.
type ClientStep struct {
	Op       string
	Connect  bool
	ToServer bool
	Data     string
	FDs      int // descriptors that came with it
}

// Clients are all there are.
func Clients() (clients []Client, err error) {
	names, err := fs.Glob(Files, "clients/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		client, err := parseClient(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		clients = append(clients, client)
	}
	return clients, nil
}

func parseClient(text []byte) (client Client, err error) {
	lines := json.NewDecoder(bytes.NewReader(text))
	if err := lines.Decode(&client); err != nil { // the header
		return client, err
	}
	for {
		var line struct {
			Op       string
			Connect  bool
			Dir, Hex string
			FDs      int
		}
		err := lines.Decode(&line)
		if err == io.EOF {
			return client, nil
		}
		if err != nil {
			return client, err
		}
		data, err := hex.DecodeString(line.Hex)
		if err != nil {
			return client, err
		}
		client.Steps = append(client.Steps, ClientStep{Op: line.Op, Connect: line.Connect,
			ToServer: line.Dir == "c2s", Data: string(data), FDs: line.FDs})
	}
}
