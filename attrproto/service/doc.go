// Package service asks the services of a running Postfix: showq(8) for the mail
// queue, trivial-rewrite(8) where an address goes, verify(8) whether an address
// is deliverable, anvil(8) how busy a client is.
//
// Fill in a [Postfix], if its defaults do not do, and call the method for the
// question:
//
//	for message, err := range (service.Postfix{}).Queue() {
//		if err != nil {
//			return err
//		}
//		fmt.Println(message.ID, message.Sender)
//	}
//
// Each call makes a connection of its own. The sockets of all but showq are for
// root and the owner of the mail system.
package service
