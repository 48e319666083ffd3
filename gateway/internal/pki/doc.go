// Package pki knows certificates: those that the gateway shows (RFC 5280), and the authorities that sign those of its clients.
//
// Promises:
//   - Everything in files is read again when they have changed, without a new start and without a connection that ends. What
//     cannot be read leaves in use what was there.
//   - A certificate of a client is one of the tenant whose authority, of all that its chain leads to, is nearest to it. It is
//     an authority's key that counts: no two tenants have the same one. Only what leads to no tenant's authority may be one of
//     the authority of all.
//   - A certificate that is revoked speaks for nobody, and so does one of which that cannot be told, unless its authority was
//     declared otherwise.
//   - No handshake waits for a file or for a server of OCSP (RFC 6960): both are looked at in the background.
package pki
