package daemon

import (
	"errors"
	"fmt"
	"strings"
)

// hostname evaluates myhostname, and mydomain, which may be missing and then
// comes from the former (src/global/mail_params.c, src/util/get_hostname.c).
// system returns the host's own name.
func (c *config) hostname(system func() (string, error)) (string, error) {
	fallback := ""
	if _, ok := c.values["myhostname"]; !ok {
		var err error
		if fallback, err = c.systemHostname(system); err != nil {
			return "", err
		}
	}
	name, err := c.str("myhostname", fallback, 1)
	if err != nil {
		return "", err
	}
	fallback = "localdomain"
	if _, after, ok := strings.Cut(name, "."); ok {
		fallback = after
	}
	domain, err := c.str("mydomain", fallback, 1)
	if err != nil {
		return "", err
	}
	if err := c.checkHostname("myhostname", name); err != nil {
		return "", err
	}
	return name, c.checkHostname("mydomain", domain)
}

func (c *config) systemHostname(system func() (string, error)) (string, error) {
	name, err := system()
	if err != nil {
		return "", &callError{"gethostname", err}
	}
	if complaint := invalidHostname(name); complaint != "" {
		c.warn(complaint)
		return "", errors.New("unable to use my own hostname")
	}
	if strings.Contains(name, ".") {
		return name, nil
	}
	domain, ok, err := c.lookup("mydomain")
	if err != nil {
		return "", err
	}
	if !ok {
		domain = "localdomain"
	}
	return name + "." + domain, nil
}

func (c *config) checkHostname(parameter, name string) error {
	complaint := invalidHostname(name)
	if complaint == "" {
		return nil
	}
	c.warn(complaint)
	return fmt.Errorf("file %s: parameter %s: bad parameter value: %s", c.path(), parameter, name)
}

// invalidHostname says in the reference's words what is wrong with a name; it
// says nothing if nothing is (src/util/valid_hostname.c).
func invalidHostname(name string) string {
	const maxLabel, maxName = 63, 255
	complain := func(what string) string {
		return "valid_hostname: " + what + ": " + clip(name, 100)
	}
	if name == "" {
		return "valid_hostname: empty hostname"
	}
	label, numeric := 0, true
	for i := 0; i < len(name); i++ {
		c := name[i]
		endOfLabel := i+1 == len(name) || name[i+1] == '.'
		switch {
		case isAlnum(c) || c == '_':
			if label++; label > maxLabel {
				return complain("hostname label too long")
			}
			numeric = numeric && isDigit(c)
		case c == '.':
			if label == 0 || i+1 == len(name) {
				return complain("misplaced delimiter")
			}
			label = 0
		case c == '-':
			numeric = false
			if label++; label == 1 || endOfLabel {
				return complain("misplaced hyphen")
			}
		default:
			return complain(fmt.Sprintf("invalid character %d(decimal)", c))
		}
	}
	if numeric {
		return complain("numeric hostname")
	}
	if len(name) > maxName {
		return fmt.Sprintf("valid_hostname: bad length %d for %s...", len(name), clip(name, 100))
	}
	return ""
}
