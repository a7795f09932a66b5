// Package mail sends mail through a private Postfix to an SMTP server that records
// every connection and message, and says what came of it: [Delivery.Run]. [Run]
// does so with our daemon and with the reference, and prints both.
//
// [StartSink] is that server alone, [Inject] the other end alone, and
// [DeliverStandIn] delivers without Postfix. Nothing leaves the machine: all
// addresses are in 127/8.
package mail
