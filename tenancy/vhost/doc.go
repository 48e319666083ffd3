// Package vhost is what the virtual hosts of a Qpid Dispatch Router say: who may come in by which host name, how many at once, and
// what a group of users may do there.
//
// A [Host] is a declaration. A [Register] holds those of now and lets clients in; a [Visit] is one that has come in, under the
// settings that held then. Nothing here reads a clock or a network. A Register and a Visit may be used from any goroutine.
package vhost
