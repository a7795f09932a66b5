package daemon

import (
	"fmt"
	"strconv"
	"strings"
)

// An account is a user as the files /etc/passwd and /etc/group know it.
//
// The files are read here and not by os/user, since that brings in the C
// library where there is one, and with it a process whose threads cannot be
// made to give up their privileges all at once. It also means that an account
// that only a name service knows is not found.
type account struct {
	name   string
	uid    int
	gid    int
	groups []int // all groups, the user's own first
}

// accounts are the files to look into.
type accounts struct {
	passwd string
	group  string
}

// mailOwner looks the owner of the mail system up and makes sure that it is
// nobody else (src/global/mail_params.c, check_mail_owner). path is main.cf.
func (a accounts) mailOwner(path, name string) (*account, error) {
	complain := func(format string, args ...any) error {
		return fmt.Errorf("file %s: parameter mail_owner: %s", path, fmt.Sprintf(format, args...))
	}
	users, err := readFile(a.passwd)
	if err != nil {
		return nil, err
	}
	var owner *account
	sharedWith := ""
	eachEntry(users, 4, func(fields []string) bool {
		if fields[0] == name {
			owner = parseUser(fields)
		}
		return owner == nil
	})
	switch {
	case owner == nil:
		return nil, complain("unknown user name value: %s", name)
	case owner.uid == 0:
		return nil, complain("user %s has privileged user ID", name)
	case owner.gid == 0:
		return nil, complain("user %s has privileged group ID", name)
	}
	eachEntry(users, 4, func(fields []string) bool {
		user := parseUser(fields)
		if user == nil || user.uid != owner.uid {
			return true
		}
		sharedWith = user.name
		return false
	})
	if sharedWith != name {
		return nil, complain("user %s has same user ID as %s", name, sharedWith)
	}
	if owner.groups, err = a.groupsOf(owner); err != nil {
		return nil, err
	}
	return owner, nil
}

func parseUser(fields []string) *account {
	uid, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil {
		return nil
	}
	gid, err := strconv.ParseUint(fields[3], 10, 32)
	if err != nil {
		return nil
	}
	return &account{name: fields[0], uid: int(uid), gid: int(gid)}
}

// groupsOf is what initgroups(3) sets: the user's own group, and every group
// that lists the user. A missing file is a file without groups.
func (a accounts) groupsOf(user *account) ([]int, error) {
	groups := []int{user.gid}
	seen := map[int]bool{user.gid: true}
	text, err := readFile(a.group)
	if err != nil {
		return groups, nil
	}
	eachEntry(text, 4, func(fields []string) bool {
		gid, err := strconv.ParseUint(fields[2], 10, 32)
		if err != nil || seen[int(gid)] {
			return true
		}
		for member := range strings.SplitSeq(fields[3], ",") {
			if member == user.name {
				seen[int(gid)] = true
				groups = append(groups, int(gid))
				break
			}
		}
		return true
	})
	return groups, nil
}

// eachEntry calls visit with the fields of each line that has at least least of
// them, until it returns false.
func eachEntry(text []byte, least int, visit func(fields []string) bool) {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		fields := strings.Split(line, ":")
		if len(fields) >= least && line[0] != '#' && line[0] != ':' && !visit(fields) {
			return
		}
	}
}
