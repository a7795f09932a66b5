package tap

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strings"
)

// Pseudonyms replace the names and addresses in messages by keyed hashes: the same
// one by the same hash, wherever it stands, and by one of the same form. A domain
// becomes a domain, an IPv4 address an IPv4 address, what is in brackets stays in
// brackets. What stays as it is: the names of attributes and of requests, numbers
// of up to ten digits, the newlines between the fields of a label or a property,
// the names before the equal signs of a property, an asterisk, and the words smtp,
// lmtp and relay.
//
// Without the key a hash says nothing. Two of the same key say that two names are
// the same.
type Pseudonyms struct {
	key   []byte
	known map[string]string
	out   []byte
}

// mostPseudonyms is how many are kept, so that each is not computed again and
// again.
const mostPseudonyms = 10_000

// NewPseudonyms makes those of a key.
func NewPseudonyms(key []byte) *Pseudonyms {
	return &Pseudonyms{key: key, known: make(map[string]string)}
}

// vocabulary is what the protocol itself says (src/global/scache.h, mail_proto.h),
// and what is no name of anybody.
var vocabulary = words("request ttl label property status dummy protocol connection_cache_protocol " +
	"save_endp save_dest find_endp find_dest smtp lmtp relay")

func words(text string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

// Message returns a message with names and addresses replaced. It is valid until
// the next call.
func (s *Pseudonyms) Message(data []byte) []byte {
	s.out = s.out[:0]
	for len(data) > 0 {
		text, rest, ended := bytes.Cut(data, []byte{0})
		s.text(text)
		if ended {
			s.out = append(s.out, 0)
		}
		data = rest
	}
	return s.out
}

// text replaces what is in one name or value.
func (s *Pseudonyms) text(text []byte) {
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte{'\n'})
		s.field(string(line))
		if ended {
			s.out = append(s.out, '\n')
		}
		text = rest
	}
}

// field replaces what is in one line of a value.
func (s *Pseudonyms) field(line string) {
	if name, value, ok := strings.Cut(line, "="); ok && value != "" && isIdentifier(name) {
		s.out = append(append(s.out, name...), '=')
		line = value
	}
	s.out = append(s.out, s.Name(line)...)
}

func isIdentifier(text string) bool {
	for _, c := range text {
		if c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return text != "" && len(text) <= 40
}

// Name returns what stands for a name or an address, or for several in one text.
func (s *Pseudonyms) Name(text string) string {
	if text == "" || text == "*" || vocabulary[text] || isNumber(text) {
		return text
	}
	if known, ok := s.known[text]; ok {
		return known
	}
	replaced := s.replace(text)
	if len(s.known) >= mostPseudonyms {
		clear(s.known)
	}
	s.known[text] = replaced
	return replaced
}

func isNumber(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) <= 10
}

// replace takes a text apart at what does not belong to a name: [address]:port,
// user@domain, service:domain:port as up to Postfix 2.2.
func (s *Pseudonyms) replace(text string) string {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		return s.address(address)
	}
	if len(text) > 5 && strings.EqualFold(text[:5], "ipv6:") {
		if address, err := netip.ParseAddr(text[5:]); err == nil && address.Zone() == "" {
			return text[:5] + s.address(address)
		}
	}
	if before, rest, ok := strings.Cut(text, "["); ok {
		if inside, after, ok := strings.Cut(rest, "]"); ok {
			return s.Name(before) + "[" + s.Name(inside) + "]" + s.Name(after)
		}
	}
	for _, separator := range []string{"@", ":"} {
		if before, after, ok := strings.Cut(text, separator); ok {
			return s.Name(before) + separator + s.Name(after)
		}
	}
	return s.word(text)
}

// word is 16 characters for any text, which would be base64 as well, and a domain
// for what may be one.
func (s *Pseudonyms) word(text string) string {
	name := "h" + hex.EncodeToString(s.sum("name", []byte(text)))[:15]
	if strings.Contains(text, ".") {
		name += ".example"
	}
	return name
}

// address is an address for an address. There are few enough of IPv4 that hashes
// would collide: that is a permutation, four rounds of a Feistel network.
func (s *Pseudonyms) address(address netip.Addr) string {
	if !address.Is4() {
		in := address.As16()
		out := [16]byte{0: 0xfd}
		copy(out[1:], s.sum("ipv6", in[:]))
		return netip.AddrFrom16(out).String()
	}
	in := address.As4()
	left, right := binary.BigEndian.Uint16(in[:]), binary.BigEndian.Uint16(in[2:])
	for round := range byte(4) {
		sum := s.sum("ipv4", []byte{round, byte(right >> 8), byte(right)})
		left, right = right, left^binary.BigEndian.Uint16(sum)
	}
	return netip.AddrFrom4([4]byte{byte(left >> 8), byte(left), byte(right >> 8), byte(right)}).String()
}

func (s *Pseudonyms) sum(kind string, data []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(kind))
	mac.Write(data)
	return mac.Sum(nil)
}
