package attrproto

import "strconv"

// AppendString appends the attribute name=value in the null encoding. The
// caller guarantees that neither holds a NUL byte, as what came in over the
// wire in this encoding cannot, and that the name is not empty.
// [Encoding.AppendString] checks.
//
// From src/util/attr_print0.c.
func AppendString[N, V ~string | ~[]byte](dst []byte, name N, value V) []byte {
	dst = append(dst, name...)
	dst = append(dst, 0)
	dst = append(dst, value...)
	return append(dst, 0)
}

// AppendUint appends the attribute name=value in the null encoding, a number
// in decimal. It serves the types int (unsigned, 32 bit) and long (unsigned,
// 64 bit) alike. The name is the caller's affair, as with [AppendString].
func AppendUint(dst []byte, name string, value uint64) []byte {
	dst = append(dst, name...)
	dst = append(dst, 0)
	dst = strconv.AppendUint(dst, value, 10)
	return append(dst, 0)
}

// AppendEnd appends the end of a list in the null encoding.
func AppendEnd(dst []byte) []byte { return append(dst, 0) }
