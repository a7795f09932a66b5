package torture

import (
	"slices"
	"time"

	"scache/compat/master"
)

// An Attack is one way to hurt a daemon.
type Attack struct {
	Name string
	// Options are what the daemon is started with, besides what all have in
	// common. The program is filled in later.
	Options master.Options
	// OwnLog tells that the attack is about the log service, and brings its own.
	OwnLog bool
	// Strike does its worst, and returns with hostile clients still in place.
	// An error is something that the daemon should not have done, or should have.
	Strike func(*Arena) error
	// After, if not nil, looks at the daemon once everything hostile is gone and
	// good clients have been served again.
	After func(*Arena) error
	// Growth is how much more memory than before the daemon may have at the
	// end, in bytes. 0 stands for 32 MiB: the Go runtime gives back what was a
	// peak only after minutes.
	Growth int64
	// Peak is how much memory the daemon may take at any time, in bytes. 0 is for
	// any amount.
	Peak int64
	// Settle is how long it may take until everything is as before: longer than
	// any ttl. 0 stands for six seconds.
	Settle time.Duration
	// GivesUp tells that sessions have to be given up before their time, so that
	// a good client may miss one that it has just saved.
	GivesUp bool
	// Lasts tells that the attack is what hostile clients do once Strike has brought
	// them into position. What good clients see is measured from then on.
	Lasts bool
	// Greedy tells that the attack takes all of the processor that it can get:
	// good clients are served, but not in the time that it takes otherwise.
	Greedy bool
	// Alone tells that the attack shows by little more than what good clients wait for
	// on a busy machine, or takes much of what the machine has: where many attacks are
	// carried out at the same time, this one is not among them.
	Alone bool
	// Deprives tells that the kernel lets nobody be served while the attack is on.
	Deprives bool
	// Ends tells that the daemon is to end: nobody expects it to serve clients
	// once the attack is over.
	Ends bool
	// Confined tells that the kernel ends a daemon that takes more memory than ours has
	// to, as one with a race detector does.
	Confined bool
	// Hurts tells that the reference is known to come to harm.
	Hurts bool
}

const (
	defaultGrowth = 32 << 20
	defaultSettle = 6 * time.Second
)

// Attacks are all there are, in the order of the table.
func Attacks() []Attack {
	return slices.Concat(
		clientAttacks(), floodAttacks(), messageAttacks(), urgentAttacks(), kindAttacks(), closeAttacks(), stuckAttacks(), quitAttacks(), crowdAttacks(),
		memoryAttacks(), liveAttacks(), signalAttacks(), aroundAttacks(), logAttacks(), privilegeAttacks(),
	)
}
