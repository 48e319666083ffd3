// Package dispatch translates the configuration of a Qpid Dispatch Router 1.19 into one of ours.
//
// Its promise: nothing is dropped silently. Each attribute of the file either has its counterpart in the configuration, or
// there is a Remark that names it, with its line. What the router itself would refuse to start with is an error, in its words
// where its users know them.
//
// It reads the file of the router, and those that this one names: policies, and passwords that are to be in it.
package dispatch
