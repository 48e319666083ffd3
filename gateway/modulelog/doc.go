// Package modulelog is the log of a gateway that stands in for Qpid Dispatch Router: its lines have that router's form, each part
// of the gateway is one of the router's modules, and what of the lines of a module is written, and where to, can be changed while
// it is written.
//
// Promises: a Log may be used from any goroutine. What a module does not say of itself is as the module DEFAULT has it, also when
// that changes later. Lines that nobody wants cost one atomic load.
package modulelog
