// Package interop holds tests of the manifold binary with clients that this project did not write: mosquitto_pub and
// mosquitto_sub, curl, Qpid Proton for Python, rhea for Node.js, Qpid JMS for Java, and go-amqp. They are behind the
// build tag interop; `make interop` runs them.
//
// Each client is used as it comes, with its default options; the programs of testdata only call it. The examples that
// come with Proton and rhea run as well, with the tests that these have of them. They lead to port 5672 of this machine,
// which has to be free.
//
// A client that is missing is installed where apt-get, npm or Maven can do so. The examples of rhea are in no package:
// the environment variable RHEA names a folder with its sources (github.com/amqp/rhea). What is missing after that is
// named and fails the run, unless INTEROP_PARTIAL=1 says that the tests which need it may be left out.
package interop
