//go:build !amd64

package diff

// Newer architectures do without the older of each two calls.
const (
	sysEpollWait = -1
	sysPoll      = -1
)
