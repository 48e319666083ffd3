// Package api is the admin API: what is declared of tenants, what is stored and who is connected, to look at and to change,
// as HTTP with an OpenAPI 3.1 description.
//
// Promises:
//   - Every request is of somebody: who runs the gateway, or a user of a tenant who may manage it. A tenant's user sees that
//     tenant, and hears of everything else that it does not exist, in the same words and after the same work, whether it
//     does or not.
//   - Nothing is answered to web pages of elsewhere, whatever the browser knows of its user.
//   - A change that is answered with success is on disk and in force, and in the audit log with who made it.
//   - A page of a list costs what is on it, however long the list is.
//   - No secret is in an answer, an error or a log line.
package api
