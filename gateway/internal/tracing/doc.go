// Package tracing follows messages through the gateway, and tells a collector of OpenTelemetry what became of them.
//
// A message that is followed leaves one span for its way in, "route", from when its sender's client handed it over until
// that client's outcome, for a queue after the fsync; and one for each way out, "deliver", from when a receiver got it
// until it was settled. Their trace is the one that the message names (W3C Trace Context). The route's span is a child of
// the producer's, and is added to the message as an annotation, from which the deliveries, however late, are children of
// it; what the producer wrote is not touched.
//
// Its promises: a message that is not followed costs a look at two of its sections, and no memory. What is followed is
// bounded by a rate, what waits for the collector by a number, and nothing waits for either: what is too much is not
// followed, or its spans are dropped. Nobody is told of a collector that does not answer but the log and the metrics.
package tracing
