// Package http is the door for HTTP/1.1 and HTTP/2: web clients send messages with POST, take them from a queue one by
// one under a lock, or watch them as server-sent events; browsers may do all of it over one WebSocket.
//
// docs/http.md describes the door to its users: the paths, the headers, the limits. openapi.json describes it to programs.
//
// Promises:
//   - 201 is answered only after the outcome Accepted, 204 to DELETE only after the settlement is safe, and 200 to a
//     stream only once its route is live.
//   - A request's path decides on address and endpoint exactly as it was sent: it is percent-decoded once and never
//     cleaned, so an address with empty levels, dots or an encoded slash is reached unchanged.
//   - What a request may hold is bounded before it is read: headers, body, locks, credit, and the time for each.
//   - A request ends with its client, and with the drain of the process; no goroutine outlives [Server.Serve].
//   - An idle stream over HTTP/1.1 holds no buffer, and a message that goes to many streams is encoded about once.
//   - What a stream of a stored address has written is accepted only when its client cannot come back for it any more.
//   - A refusal by a limit names the setting that decides.
//
// RFC numbers in comments are those of https://www.rfc-editor.org: RFC 9110 is HTTP's semantics, RFC 9457 its problem
// documents.
package http
