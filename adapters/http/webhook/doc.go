// Package webhook pushes messages to URLs: each hook takes the messages of one queue or durable subscription and posts
// them to somebody else's server, signed, until that server has taken them.
//
// docs/webhooks.md describes hooks to those who declare them and to those who receive from them.
//
// Promises:
//   - A message is accepted only after its server has answered 2xx, so that none is lost and some may come twice.
//   - A hook is asked for no more messages than it may post at the same time, so that one whose server is slow or away
//     leaves the rest in the queue.
//   - Where a connection goes is judged when it is made, by the number that the name has led to: a name that leads
//     elsewhere a moment later leads nowhere. Redirections are not followed, and proxies are not asked.
//   - What an answer means and when to try again is decided by pure functions, in verdict.go.
//   - No goroutine outlives [Service.Run]. When it is told to stop, messages that wait go back at once, and requests under
//     way have until the drain timeout.
package webhook
