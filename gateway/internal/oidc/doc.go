// Package oidc judges bearer tokens that are JSON Web Tokens (RFC 7519) of OpenID Connect providers, and of everything else
// that publishes its keys as a set (RFC 7517).
//
// Promises:
//   - A token counts only for a tenant that takes its issuer's word, with the audience and the claims that the tenant
//     says. What a tenant takes may change while the judge is at work.
//   - A token is signed with a public key of its issuer: a shared secret (HS256 and the like) or none at all is refused,
//     whatever the token or the issuer says. It has an expiry in whole seconds, and no header that must be understood.
//   - Issuers are asked for their keys when they are needed first, and again for a key that is not known, but not more often than
//     every few seconds. One that does not answer is left alone for a while, longer each time. Meanwhile keys that are
//     known are good.
package oidc
