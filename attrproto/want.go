package attrproto

// Type is the type of an attribute that a caller asks for.
type Type uint8

const (
	TypeString Type = iota // any bytes but NUL
	TypeInt                // unsigned, 32 bit
	TypeLong               // unsigned, 64 bit
	TypeStreq              // the value must be Want.Expect; not counted as a conversion
	TypeBool               // true or false; Postfix 3.12 and later
	TypeData               // any bytes, sent as base64
	TypeHash               // a group of strings, or all that is left of the list
	TypeFunc               // a part of the list that a function of the caller's asks for
)

// A Want is one entry of a wish list. The functions [StringVar] and so on make
// one whose value ends up in a variable; a literal without To is enough for
// those who take the value from [Scan.Bytes] or [Scan.Uint].
type Want struct {
	Type   Type
	Name   string // not with TypeHash and TypeFunc
	Expect string // with TypeStreq
	// To is where the value goes as soon as it was read, nil for nowhere: a
	// pointer to a string, an int, an integer of 32 or 64 bits, a bool or a
	// byte slice. With TypeHash it is a map[string]string that is not nil, with
	// TypeFunc a Sublist.
	To any
}

// hashLimit is the most names that the table of a [TypeHash] holds, with those
// that were there before. It is ATTR_HASH_LIMIT of src/util/attr.h.
const hashLimit = 1024

// StringVar asks for a string. The variable gets a copy.
func StringVar(name string, p *string) Want { return Want{Type: TypeString, Name: name, To: p} }

// IntVar asks for a number of the type int. Variables with a sign get it as a
// C program does: 4294967295 is -1.
func IntVar[T int | int32 | uint32 | int64 | uint64](name string, p *T) Want {
	return Want{Type: TypeInt, Name: name, To: p}
}

// LongVar asks for a number of the type long. Variables with a sign get it as
// a C program does: 18446744073709551615 is -1.
func LongVar[T int | int64 | uint64](name string, p *T) Want {
	return Want{Type: TypeLong, Name: name, To: p}
}

// BoolVar asks for a truth value.
func BoolVar(name string, p *bool) Want { return Want{Type: TypeBool, Name: name, To: p} }

// DataVar asks for bytes. They overwrite what is in the slice, which grows
// when it must.
func DataVar(name string, p *[]byte) Want { return Want{Type: TypeData, Name: name, To: p} }

// Equal asks for an attribute that must have this value, such as a greeting.
// It does not count as a conversion.
func Equal(name, value string) Want { return Want{Type: TypeStreq, Name: name, Expect: value} }

// HashVar asks for a group, or for all that is left of the list when no group
// begins here; then it must be the last wish. A name that is in the table
// already keeps its value. Each attribute counts as a conversion. The names
// come from the peer: use only those that you know.
func HashVar(table map[string]string) Want { return Want{Type: TypeHash, To: table} }

// deliver puts a value where the wish says.
func (w *Want) deliver(text []byte, number uint64) {
	switch p := w.To.(type) {
	case nil:
	case *string:
		if *p != string(text) { // an equal one needs no new memory
			*p = string(text)
		}
	case *[]byte:
		*p = append((*p)[:0], text...)
	case *bool:
		*p = number != 0
	default:
		w.deliverNumber(number)
	}
}

func (w *Want) deliverNumber(number uint64) {
	signed := int64(number)
	if w.Type == TypeInt {
		signed = int64(int32(number))
	}
	switch p := w.To.(type) {
	case *int:
		*p = int(signed)
	case *int32:
		*p = int32(signed)
	case *int64:
		*p = signed
	case *uint32:
		*p = uint32(number)
	case *uint64:
		*p = number
	default:
		panic("attrproto: no such destination for a value")
	}
}
