// Package tenancy says who somebody is, to which tenant they belong and what they may do there.
//
// Its values are immutable and free of I/O, so they are read from any goroutine without a lock. A tenant's name is
// part of every key of the house: two tenants never share an address, a message, a log line or a metric.
package tenancy
