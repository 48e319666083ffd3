// Package selector decides whether a message is one that a receiver asked for: it is the one filter language of all
// doors.
//
// The language is the message selector of JMS 2.0 (section 3.8.1), a subset of SQL-92 conditions:
//
//	color = 'red' AND (size BETWEEN 10 AND 20 OR JMSPriority > 6) AND note NOT LIKE 'draft\_%' ESCAPE '\'
//
// with what AMQP adds to it. [Properties] and [ApplicationProperties] translate the property filters of the OASIS
// draft "AMQP Filter Expressions" into it, so that every filter has a text.
//
// # Identifiers
//
//   - color is an application property. So is "any name at all", with a doubled quote for a quote, or [any name],
//     with doubled brackets: quoted names are never keywords and never one of the names below.
//   - JMSDeliveryMode ('PERSISTENT' or 'NON_PERSISTENT'), JMSPriority, JMSMessageID, JMSCorrelationID, JMSType,
//     JMSTimestamp, JMSExpiration, JMSDestination, JMSReplyTo, JMSRedelivered, JMSXGroupID, JMSXGroupSeq, JMSXUserID
//     and JMSXDeliveryCount are what a JMS client over AMQP shows under these names. The ids have the form that Qpid
//     JMS gives them, such as 'ID:AMQP_ULONG:7' for the ulong 7.
//   - header.priority and properties.subject, or h.priority and p.subject, are the fields of these sections, with
//     underscores for the hyphens of the standard. amqp.subject is a field of either, as the definition of the
//     apache.org:selector-filter has it.
//   - application_properties.color, message_annotations.x, delivery_annotations.x and footer.x, or a.color, m.x, d.x
//     and f.x, are entries of these sections; a."any name" also is.
//
// Keywords are read in any case, identifiers exactly. What a message does not have, or has as null, is NULL.
//
// # Values
//
// Literals are 'text' with a doubled quote for a quote; TRUE and FALSE; the integers of Java in decimal, octal (017)
// and hexadecimal (0x1F), perhaps with the suffix L, up to the largest ulong; the decimals of Java (7., .5, 6E3) and
// numbers with the suffix D or F. A binary is X'4F' as in SQL-92; beside a text or binary, the hexadecimal integer 0x4F
// stands for its octets, as in the draft.
//
// Numbers of all types are compared and computed with as in Java: exact ones as a long, with a quotient cut off
// and an overflow wrapping around, and any with an approximate one as doubles. A timestamp is its milliseconds.
// Strings, symbols, chars, binaries and UUIDs are all text, equal when their octets are. Decimals, lists, maps and
// arrays are not NULL, but nothing equals them.
//
// # Logic
//
// A condition is true, false or unknown, and a message matches if it is true. A comparison with NULL, arithmetic with
// what is no number and an integer divided by zero are unknown; a comparison of unlike values is false, with <> too.
// Texts and booleans are compared by = and <> only. NOT BETWEEN is "below or above"; NOT IN and NOT LIKE are
// the negation of IN and LIKE. Beyond JMS there are != for <>, the remainder %, and any values in IN.
// The functions of the draft, such as UTC(), are not offered.
//
// # Promises
//
//   - Pure and immutable: a [Selector] may be used by any number of goroutines at once.
//   - Bounded: [MaxLength], [MaxTerms] and [MaxDepth] limit a selector. An identifier takes at most one walk over
//     its section, and LIKE at most the length of the pattern times the length of the text, whatever its wildcards.
//   - Lazy: only what a condition needs is looked at in a message, and nothing is allocated, except for
//     JMSMessageID and JMSCorrelationID that are no strings that start with ID:, and for chars.
//   - Textual: [Parse] makes an equal selector of [Selector.String].
//
// Specifications:
// https://jakarta.ee/specifications/messaging/2.0/ section 3.8.1 (selectors),
// https://docs.oasis-open.org/amqp/filtex/v1.0/csd01/filtex-v1.0-csd01.html (AMQP Filter Expressions, a draft),
// https://svn.apache.org/repos/asf/qpid/trunk/qpid/specs/apache-filters.xml (apache.org:selector-filter).
package selector
