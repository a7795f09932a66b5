package service

import (
	"fmt"
	"strconv"

	"scache/attrproto"
)

// An AddressStatus is what verify(8) knows about an address. The values are
// those of DEL_RCPT_STAT_OK and so on in src/global/deliver_request.h.
type AddressStatus int

const (
	Deliverable   AddressStatus = 0
	Deferred      AddressStatus = 1 // not now
	Undeliverable AddressStatus = 2
	Unknown       AddressStatus = 3 // a probe was or is being sent; ask again
)

var addressStatusNames = [...]string{"deliverable", "deferred", "undeliverable", "unknown"}

func (s AddressStatus) String() string {
	if s < 0 || int(s) >= len(addressStatusNames) {
		return "status " + strconv.Itoa(int(s))
	}
	return addressStatusNames[s]
}

// A Verification is what verify(8) says about an address.
type Verification struct {
	Status AddressStatus `json:"status"`
	Reason string        `json:"reason"`
}

// Verify asks verify(8) whether an address is deliverable. It answers from
// what it knows, and sends a probe message when it does not know, or not well
// enough: the question is not without effect.
//
// From src/global/verify_clnt.c and src/verify/verify.c.
func (p Postfix) Verify(address string) (v Verification, err error) {
	var status, addressStatus int
	err = p.ask("verify", 3, func(w *attrproto.Writer) {
		w.String("request", "query")
		w.String("address", address)
	}, attrproto.FlagMissing|attrproto.FlagSanitize,
		attrproto.IntVar("status", &status),
		attrproto.IntVar("recipient_status", &addressStatus),
		attrproto.StringVar("reason", &v.Reason))
	if err == nil && status != 0 {
		err = fmt.Errorf("answer of verify: status %d", status)
	}
	v.Status = AddressStatus(addressStatus)
	return v, err
}
