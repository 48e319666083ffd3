// Package authenticator asks others over HTTP whether a password is right, for tenants that do not know their users
// themselves.
//
// A question is a POST with a JSON object; the answer 200 is a yes, which may name the user, his roles and until when that
// holds, 401 and 403 are a no, and everything else is no answer.
//
// Promises:
//   - Answers are remembered for a while, under a keyed hash of the whole question: a password is never kept. How many are
//     remembered is bounded, and so is how many questions are under way at a time.
//   - One who does not answer several times is left alone for a while, longer each time; then one question tries it. Who was
//     let in a moment ago is let in meanwhile; others are told to try again.
//   - A password that anybody could read on its way here is not passed on.
package authenticator
