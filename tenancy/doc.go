// Package tenancy says who somebody is, to which tenant they belong and what they may do there.
//
// A [Directory] lets clients in, whichever door they come to: with a name and a password, with a token, with a
// certificate, by a SASL mechanism of several steps, or as nobody where a tenant allows that. A tenant's name is part of
// every key of the house: two tenants never share an address, a message, a log line or a metric.
//
// Promises:
//   - Its values are immutable, do no I/O, and are safe to use from any goroutine.
//   - Passwords are kept as [Credential] only, which proves them without giving them away.
//   - Who is refused learns nothing: a wrong password, a user and a tenant that do not exist are answered alike, and
//     cost the same time where the users of a tenant have credentials of one form and cost.
//   - Few passwords are hashed at a time, so that many logins at once take neither all processors nor all memory.
package tenancy
