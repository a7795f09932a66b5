package service_test

import (
	"fmt"

	"scache/attrproto/service"
)

// The mail queue, a line for each recipient.
func ExamplePostfix_Queue() {
	for message, err := range (service.Postfix{}).Queue() {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, to := range message.Recipients {
			fmt.Println(message.ID, message.Sender, to.Address, to.Reason)
		}
	}
}

// Where mail for an address goes.
func ExamplePostfix_Resolve() {
	p := service.Postfix{QueueDirectory: "/var/spool/postfix-out"}
	route, err := p.Resolve("", "someone@example.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(route.Transport, route.Nexthop, route.Flags.Names())
}

// Whether an address is deliverable, as far as Postfix knows.
func ExamplePostfix_Verify() {
	v, err := service.Postfix{}.Verify("someone@example.com")
	if err == nil && v.Status == service.Undeliverable {
		fmt.Println("no:", v.Reason)
	}
}
