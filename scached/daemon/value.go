package daemon

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// str returns a parameter's expanded value; the expanded default becomes its
// value if it has none. It must have at least least bytes
// (src/global/mail_conf_str.c).
func (c *config) str(name, fallback string, least int) (string, error) {
	value, ok, err := c.lookup(name)
	if err != nil {
		return "", err
	}
	if !ok {
		if value, err = c.eval(fallback); err != nil {
			return "", err
		}
		c.set(name, value, FromDefault)
	}
	if len(value) < least {
		return "", fmt.Errorf("bad string length %d < %d: %s = %s", len(value), least, name, value)
	}
	return value, nil
}

// defined is str without a length: the raw default becomes the value.
func (c *config) defined(name, fallback string) (string, error) {
	if _, ok := c.values[name]; !ok {
		c.set(name, fallback, FromDefault)
	}
	value, _, err := c.lookup(name)
	return value, err
}

// integer returns a 32-bit number that is at least least
// (src/global/mail_conf_int.c).
func (c *config) integer(name, fallback string, least int) (int, error) {
	value, err := c.defined(name, fallback)
	if err != nil {
		return 0, err
	}
	n, rest, inRange := strtol(value)
	if value == "" || rest != "" || !inRange || n != int64(int32(n)) {
		return 0, fmt.Errorf("bad numerical configuration: %s = %s", name, value)
	}
	if int(n) < least {
		return 0, fmt.Errorf("invalid %s parameter value %d < %d", name, n, least)
	}
	return int(n), nil
}

// boolean returns whether a parameter is yes, in any case
// (src/global/mail_conf_bool.c).
func (c *config) boolean(name, fallback string) (bool, error) {
	value, err := c.defined(name, fallback)
	switch {
	case err != nil:
		return false, err
	case strings.EqualFold(value, "yes"):
		return true, nil
	case strings.EqualFold(value, "no"):
		return false, nil
	}
	return false, fmt.Errorf("bad boolean configuration: %s = %s", name, value)
}

// seconds returns a time of at least least seconds. A number without a unit is
// in the unit of the default (src/global/mail_conf_time.c).
func (c *config) seconds(name, fallback string, least int) (time.Duration, error) {
	value, err := c.defined(name, fallback)
	if err != nil {
		return 0, err
	}
	unit := byte('s')
	if last := len(fallback) - 1; last >= 0 && isAlpha(fallback[last]) {
		unit = fallback[last]
	}
	n, ok := convertTime(value, unit)
	if !ok {
		return 0, fmt.Errorf("parameter %s: bad time value or unit: %s", name, value)
	}
	if int(n) < least {
		return 0, fmt.Errorf("invalid %s: %d (min %d)", name, n, least)
	}
	return time.Duration(n) * time.Second, nil
}

// convertTime reads a number and a unit; what follows the unit does not matter.
// The result is in seconds and fits into 32 bits (src/global/conv_time.c).
func convertTime(value string, unit byte) (seconds int32, ok bool) {
	n, rest, inRange := strtol(value)
	if value == "" || !inRange || n < 0 || n > math.MaxInt32 {
		return 0, false
	}
	if rest != "" {
		unit = rest[0]
	}
	var length int64
	switch unit {
	case 's':
		return int32(n), true
	case 'm':
		length = 60
	case 'h':
		length = 60 * 60
	case 'd':
		length = 24 * 60 * 60
	case 'w':
		length = 7 * 24 * 60 * 60
	}
	if length == 0 || n >= math.MaxInt32/length {
		return 0, false
	}
	return int32(n * length), true
}
