// Package interop holds tests of the manifold binary with clients that this project did not write: the mosquitto
// clients, Eclipse Paho for Python and Go and its interoperability suites, MQTT.js, curl, Qpid Proton for Python, rhea for
// Node.js, Qpid JMS for Java, go-amqp, stomp.py, stompjs, stompit, go-stomp, Spring's and ActiveMQ's clients for STOMP, h2load
// and h2spec for HTTP/2, schemathesis for the OpenAPI document, Chromium, the CloudEvents SDKs for Go and Python, and libcoap,
// aiocoap, node-coap and Eclipse Californium for CoAP, and qdstat and qdmanage of the Qpid Dispatch Router; and with Apache
// ActiveMQ Artemis as a broker behind the gateway. They are behind the build tag interop; `make interop` runs them, and leaves
// screenshots in bin/_artifacts.
//
// Each client is used as it comes, with its default options; the programs of testdata only call it. The examples that
// come with Proton and rhea run as well, with the tests that these have of them. They lead to port 5672 of this machine,
// which has to be free.
//
// Beside these, clients of this project send what was MQTT, STOMP, HTTP or CoAP before it was damaged, while others that are not
// to be disturbed send and receive; see harmsNobody. They do so for as long as MANIFOLD_FUZZ says, 15 seconds if it does not:
//
//	MANIFOLD_FUZZ=10m go test -tags interop -count 1 -timeout 0 -v -run Mutated ./gateway/interop
//
// Each test prints the seed of its damage, how many conversations were damaged in which way, how many messages the others
// exchanged meanwhile, and what the process took up before and after.
//
// A client that is missing is installed where apt-get, npm, pip or Maven can do so; ARTEMIS_HOME may name an Artemis that
// is there. What is in no package
// lies in folders that environment variables name: RHEA the sources of rhea for its examples (github.com/amqp/rhea),
// PAHO_TESTING the suites of Eclipse Paho (github.com/eclipse/paho.mqtt.testing), MQTTJS, STOMPPY and STOMPJS the sources of
// MQTT.js, stomp.py and stompjs for their tests (github.com/mqttjs/MQTT.js, github.com/jasonrbriggs/stomp.py,
// github.com/stomp-js/stompjs), QPID_DISPATCH those of the Qpid Dispatch Router 1.19.0 for its tools and its system tests
// (github.com/apache/qpid-dispatch), and QDROUTERD its program, built against Proton 0.37. What is missing after that is named and fails the run, unless INTEROP_PARTIAL=1 says that the
// tests which need it may be left out.
package interop
