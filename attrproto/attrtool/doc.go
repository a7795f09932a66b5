// Package attrtool turns streams of attribute lists into text for people and
// programs, and back. Call [Decode] or [Encode] with a [Format].
//
// # Lines
//
// In the format [Lines] an attribute is a line with its name and value, the
// value in double quotes with the escapes of a Go string. A name that is more
// than letters, digits, and the signs - _ . has quotes as well. A group is
// between braces, each on a line of its own. An empty line is the end of a
// list. Lines that begin with # are skipped by Encode.
//
//	request = "save_dest"
//	ttl = "2"
//	label = "smtp\nexample.com"
//	{
//	  name = "value"
//	}
//
// # JSON
//
// In the format [JSON] a list is an object on a line of its own:
//
//	{"attributes":[{"name":"ttl","value":"2"},{"group":"open"},{"name":"a","value":"b"},{"group":"close"}]}
//
// Names and values that are not UTF-8 are in base64, in the members name_base64
// and value_base64. A list whose end is missing has the member "open".
//
// Both formats keep everything: what was decoded is encoded to the same bytes,
// but for base64 and group marks that were written in an unusual way.
package attrtool
