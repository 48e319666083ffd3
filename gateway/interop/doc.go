// Package interop holds tests of the manifold binary with clients that this project did not write: mosquitto_pub and
// mosquitto_sub, curl, Qpid Proton for Python, and rhea for Node.js. They are behind the build tag interop;
// `make interop` runs them.
//
// A client that is missing is installed where apt-get can do so, and rhea by npm. What is missing after that is named
// and fails the run, unless INTEROP_PARTIAL=1 says that the tests which need it may be left out.
package interop
