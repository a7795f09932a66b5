package attrproto

import "strconv"

// An EncodeError says why an attribute cannot be sent: it would arrive as
// something else, or break the list. Nothing of it is written.
type EncodeError struct {
	Name   string // of the attribute
	Value  bool   // the trouble is with the value, not with the name
	Offset int    // of the byte that is the trouble, if there is one
	Reason string // what is wrong, such as "holds a NUL byte"
}

func (e *EncodeError) Error() string {
	what := "name"
	if e.Value {
		what = "value"
	}
	return "attribute " + strconv.Quote(e.Name) + ": the " + what + " " + e.Reason
}

// checkName tells whether a name can be sent. In the null encoding an empty
// one is the end of the list, and a brace begins or ends a group.
func checkName(e Encoding, name string) error {
	if e == Null {
		switch name {
		case "":
			return &EncodeError{Name: name, Reason: "is empty"}
		case groupOpen, groupClose:
			return &EncodeError{Name: name, Reason: "is the mark of a group"}
		}
	}
	return checkText(e, name, name, false)
}

// checkText looks for bytes that a name or value cannot hold. A NUL ends a
// string in every C program, whatever the encoding.
func checkText[T ~string | ~[]byte](e Encoding, name string, text T, value bool) error {
	for i := range len(text) {
		switch c := text[i]; {
		case c == 0:
			return &EncodeError{Name: name, Value: value, Offset: i, Reason: "holds a NUL byte"}
		case e == Plain && c == '\n':
			return &EncodeError{Name: name, Value: value, Offset: i, Reason: "holds a newline"}
		case e == Plain && c == '=' && !value:
			return &EncodeError{Name: name, Value: value, Offset: i, Reason: "holds an equals sign"}
		}
	}
	return nil
}
