package service

import (
	"fmt"

	"scache/attrproto"
)

// Rates are what anvil(8) has counted for a client. All but Connections are
// per anvil_rate_time_unit.
type Rates struct {
	Connections     int `json:"count"` // at this moment
	ConnectionRate  int `json:"rate"`
	Messages        int `json:"mail"`
	Recipients      int `json:"rcpt"`
	TLSSessions     int `json:"newtls"` // new ones; Postfix 2.3 and later
	Authentications int `json:"auth"`   // Postfix 3.1 and later, else 0
}

// Anvil asks anvil(8) about a remote client of a service, such as "smtp" and
// "192.0.2.1". The answer is the same for a client that never came and for one
// that was forgotten: nothing but zeros.
//
// From src/global/anvil_clnt.c and src/anvil/anvil.c.
func (p Postfix) Anvil(service, client string) (rates Rates, err error) {
	var status int
	err = p.ask("anvil", 6, func(w *attrproto.Writer) {
		w.String("request", "lookup")
		w.String("ident", string(attrproto.Printable([]byte(service+":"+client))))
	}, 0,
		attrproto.IntVar("status", &status),
		attrproto.IntVar("count", &rates.Connections),
		attrproto.IntVar("rate", &rates.ConnectionRate),
		attrproto.IntVar("mail", &rates.Messages),
		attrproto.IntVar("rcpt", &rates.Recipients),
		attrproto.IntVar("newtls", &rates.TLSSessions),
		attrproto.IntVar("auth", &rates.Authentications))
	if err == nil && status != 0 {
		err = fmt.Errorf("answer of anvil: status %d", status)
	}
	return rates, err
}
