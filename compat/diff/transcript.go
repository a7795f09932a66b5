package diff

// An Action is what a step does.
type Action string

const (
	// Connect makes a client.
	Connect Action = "connect"
	// Send sends Data and Descriptors in one message; with a Piece, as several,
	// each of which the daemon has taken in before the next one is sent.
	Send Action = "send"
	// Shutdown tells the daemon that the client will send no more.
	Shutdown Action = "shutdown_write"
	// Close is the end of a client.
	Close Action = "close"
	// Hold stops the daemon, so that it finds everything up to the next Go at
	// once.
	Hold Action = "hold"
	// Go lets the daemon go on.
	Go Action = "go"
	// Drain sends Data, which asks for a session, and takes what is found, again
	// and again until nothing is found.
	Drain Action = "drain"
	// Find is Drain for one session.
	Find Action = "find"
	// Wait lets that many Seconds begin.
	Wait Action = "wait"
	// RemoteSay sends Data from the other end of the SMTP session Token.
	RemoteSay Action = "remote_say"
	// RemoteClose closes the other end of the SMTP session Token.
	RemoteClose Action = "remote_close"
	// RemoteHear reads what has come to the other end of the SMTP session Token, and
	// whether the connection has ended.
	RemoteHear Action = "remote_hear"
	// Terminate sends SIGTERM to the daemon, as "postfix stop" does, and waits
	// for its end.
	Terminate Action = "terminate"
	// HangUp closes the master's end of the status channel, as a reload does,
	// and waits for the daemon's end.
	HangUp Action = "hang_up"
)

// A Step is one thing that happens to a daemon.
type Step struct {
	Do     Action
	Client string // who does it; "" is a client like any other
	Data   []byte
	// Descriptors is how many go with the data. Each is one end of a socket
	// pair. They are numbered in the order in which they are sent, from 1 on.
	Descriptors int
	Piece       int // bytes
	Token       int // number of a descriptor
	Seconds     int
}

// A Setup is how the daemon is started.
type Setup struct {
	Verbose bool `json:"verbose,omitempty"` // -v
	// UTF8 is smtputf8_enable: the log shows UTF-8 as it is.
	UTF8 bool `json:"utf8,omitempty"`
	// TTLLimit is connection_cache_ttl_limit in seconds; 0 is for an hour, so
	// that nothing is gone before its time on a busy machine.
	TTLLimit int    `json:"ttl_limit,omitempty"`
	NoFile   int    `json:"no_file,omitempty"` // limit on descriptors; 0 leaves it alone
	Dialect  string `json:"dialect,omitempty"` // scached_protocol_version of ours; the reference has its own
	// LiveCheck leaves scached_live_check of ours on. The reference has nothing
	// like it.
	LiveCheck bool `json:"live_check,omitempty"`
	// NameSpaces is scached_name_spaces of ours.
	NameSpaces string `json:"name_spaces,omitempty"`
	// Quit is scached_quit of ours.
	Quit bool `json:"quit,omitempty"`
}

// A Transcript is what clients do, and what came of it.
type Transcript struct {
	Name  string
	About string // what it shows
	Setup Setup
	Steps []Step
	// Recorded is what the reference did when the transcript was made, nil if
	// unknown.
	Recorded *Result
	// Better names the difference that the transcript shows (see Named), and
	// Ours is what our daemon does.
	Better string
	Ours   *Result

	// slower makes the same for a busy machine; nil where that is not possible.
	slower func() (*Transcript, error)
}

// An Answer is what came back from the daemon until it waited again.
type Answer struct {
	Data   []byte
	Tokens []int // descriptors by their numbers; 0 is one whose number was not recorded
	End    string
	// Changed tells of descriptors that are not as they were sent.
	Changed []string
}

func (a Answer) empty() bool {
	return len(a.Data) == 0 && len(a.Tokens) == 0 && a.End == "" && len(a.Changed) == 0
}

// EndOfFile is how a connection ends. Whether the client is told that something
// that it sent was not read depends on when that was thrown away.
const EndOfFile = "eof"

// An Outcome is what a step led to.
type Outcome struct {
	Answer
	Others map[string]Answer // what clients other than the step's got
	// Skipped tells that the step was not taken, because the reference serves
	// nobody else until another client has finished its request.
	Skipped bool
	Failed  string // why the step could not be taken: "broken pipe"
}

// A Result is what a daemon did in a transcript.
type Result struct {
	// Version is the reference's mail_version, of which the words of its log depend;
	// empty if it is not known, and for ours.
	Version  string
	Outcomes []Outcome // of the steps
	Log      []string  // without tag; numbers of descriptors are replaced by names
	Status   []int32   // states that the daemon told its master, when it is verbose
	Left     int       // descriptors more than before, once all clients were gone
	Alive    bool
	Exit     string // how the daemon ended: "exit status 0", "signal: terminated"
}
