// Package isolation holds tests that try to cross from one tenant into another: to read, write, browse, list, name, resume
// and guess, over every protocol, with every way to spell a name from one list.
//
// The tests look at bytes. Whatever the gateway sends to the intruder, be it a message, an error text or a list, goes
// through a tap, and nothing in it may be a tenant's own that is not his; and whatever he sends bears a mark, which may
// turn up nowhere in another tenant. That a crossing would be seen is tested too: the same deeds, done by the tenant's
// own user, are seen every one.
package isolation
