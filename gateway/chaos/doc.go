// Package chaos holds a test that cuts the wires of a network of five routers, while clients send through it, and looks for
// what was accepted and is lost, and for what came twice.
//
// The routers are processes of their own. Between any two is a relay of the test, which cuts the connection, delays what passes
// or swallows it. The clients' own connections are sound, and so is everybody's word: a message counts as accepted when its
// sender was told so, and as received when a consumer has it in his hands.
//
// The environment sets how it goes: MANIFOLD_CUTS how often a relay does harm (10; `make soak` says 200), MANIFOLD_SEED which
// relay when, and how.
package chaos
