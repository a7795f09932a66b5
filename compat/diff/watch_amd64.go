package diff

import "golang.org/x/sys/unix"

const (
	sysEpollWait = unix.SYS_EPOLL_WAIT
	sysSelect    = unix.SYS_SELECT
	sysPoll      = unix.SYS_POLL
)
