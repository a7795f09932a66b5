//go:build !amd64

package diff

// Newer architectures do without the older of each pair of calls.
const (
	sysEpollWait = -1
	sysSelect    = -1
	sysPoll      = -1
)
