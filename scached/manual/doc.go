// Package manual writes what there is to read about the programs: manual pages
// in mdoc(7), the parameters as a table for the README, and a configuration file
// in which every parameter stands with its default. All of it comes from what the
// programs themselves go by, the declarations of parameters and the tree of
// commands, so that the one cannot say what the other does not do.
//
// [Daemon], [Config], [Tap] and [Tool] write a page each, [Sample] the configuration
// file, and [Table] the table.
package manual
