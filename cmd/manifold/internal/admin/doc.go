// Package admin is the command line as a client of the admin API: what a gateway is told and what it does, to look at and to
// change.
//
// Promises:
//   - What `get -o yaml` prints, `apply -f` takes.
//   - Tables are in the order of names, and say so when they are not whole.
//   - What goes wrong is said in a sentence with the place in the file, and never contains a password or token.
package admin
