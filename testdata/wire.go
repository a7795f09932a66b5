package testdata

import "encoding/json"

// A Conversation is what one client and the reference said to each other.
type Conversation struct {
	Name  string
	Steps []Step
	Log   []string // of the reference
}

// A Step is one thing that the client did, and what came of it.
type Step struct {
	Do      string `json:"step"` // connect, send, send_fds or shutdown_write
	Data    Bytes  // sent, with FDs descriptors
	FDs     int
	Recv    Bytes // received, with RecvFDs descriptors
	RecvFDs int   `json:"recv_fds"`
	Closed  string
}

// Bytes are a string of as many characters in the file.
type Bytes []byte

// UnmarshalJSON makes a byte of each character.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*b = nil
	for _, r := range s {
		*b = append(*b, byte(r))
	}
	return nil
}

// Conversations are those of transcripts/wire-3.12.json.
func Conversations() (list []Conversation, err error) {
	text, err := Files.ReadFile("transcripts/wire-3.12.json")
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(text, &list)
	return list, err
}
