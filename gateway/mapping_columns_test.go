package gateway

// Each column is the mapping of one protocol. From them it is derived what arrives in the matrix, and so are the tables of
// docs/. A further protocol is a column here, one more sender and one more receiver.

var amqpColumn = column{"AMQP 1.0", map[field]place{
	address:     sent("address of the target", "", exact).or(got("address of the source", "", exact)),
	to:          both("properties: to", "", exact),
	atMostOnce:  sent("a settled transfer", "", exact),
	exactlyOnce: both("message-annotations: `x-opt-mqtt-qos` 2", "", exact),

	durable:       both("header: durable", "", exact),
	priority:      both("header: priority", "", exact),
	ttl:           both("header: ttl", "", exact),
	firstAcquirer: both("header: first-acquirer", "", exact),
	deliveryCount: got("header: delivery-count", "", exact),

	deliveryAnnotations: both("delivery-annotations", "", exact),
	messageAnnotations:  both("message-annotations", "", exact),
	deliveryTime:        both("message-annotations: `x-opt-delivery-time`", "", exact),
	deliveryDelay:       both("message-annotations: `x-opt-delivery-delay`", "", exact),

	messageID:       both("properties: message-id", "", exact),
	userID:          both("properties: user-id", "", exact),
	subject:         both("properties: subject", "", exact),
	replyTo:         both("properties: reply-to", "", exact),
	correlationID:   both("properties: correlation-id", "", exact),
	contentType:     both("properties: content-type", "", exact),
	wideContentType: both("message-annotations: `x-opt-mqtt-content-type`", "", exact),
	contentEncoding: both("properties: content-encoding", "", exact),
	expiryTime:      both("properties: absolute-expiry-time", "", exact),
	creationTime:    both("properties: creation-time", "", exact),
	groupID:         both("properties: group-id", "", exact),
	groupSequence:   both("properties: group-sequence", "", exact),
	replyToGroupID:  both("properties: reply-to-group-id", "", exact),

	properties:  both("application-properties", "", mapped),
	repetitions: both("message-annotations: `x-opt-user-properties`", "", exact),
	cloudEvent:  both("application-properties: `cloudEvents:…`", "", exact),

	dataBody:     both("data", "", exact),
	chunkedBody:  both("data, several", "", exact),
	textBody:     both("amqp-value: string", "", exact),
	binaryBody:   both("amqp-value: binary", "", exact),
	valueBody:    sent("amqp-value: any other", "", exact).or(got("amqp-value: any other", "", native)),
	sequenceBody: sent("amqp-sequence", "", exact).or(got("amqp-sequence", "", native)),
	footer:       both("footer", "", exact),
}}

var mqtt3Column = column{"MQTT 3.1 and 3.1.1", map[field]place{
	address:       both("topic name", "", exact),
	to:            sent("topic name", "", theAddress),
	atMostOnce:    both("QoS 0", "", exact),
	exactlyOnce:   both("QoS 2", "", exact),
	retain:        both("RETAIN", "", exact),
	deliveryCount: got("DUP", "", anyTry),

	dataBody:     both("payload", "", exact),
	chunkedBody:  got("payload", "", payload),
	textBody:     both("payload", "", payload),
	binaryBody:   got("payload", "", payload),
	valueBody:    got("payload", "JSON", inJSON),
	sequenceBody: got("payload", "JSON", inJSON),
}}

var mqtt5Column = column{"MQTT 5", map[field]place{
	address:        both("topic name", "", exact),
	to:             sent("topic name", "", theAddress),
	atMostOnce:     both("QoS 0", "", exact),
	exactlyOnce:    both("QoS 2", "", exact),
	retain:         both("RETAIN", "a topic keeps the message; with an empty payload it forgets what it has kept", exact),
	subscriptionID: got("Subscription Identifier", "", exact),
	deliveryCount:  got("DUP", "there were earlier tries", anyTry),

	ttl:             both("Message Expiry Interval", "whole seconds, rounded up", exact),
	replyTo:         both("Response Topic", "", exact),
	correlationID:   both("Correlation Data", "an id of another type than binary as text", octets),
	contentType:     both("Content Type", "", exact),
	wideContentType: both("Content Type", "one that is not ASCII", exact),
	expiryTime:      got("Message Expiry Interval", "", timeLeft),

	properties: sent("User Property", "values as text", pairs).or(got("User Property", "values as text", texts)),
	repetitions: sent("User Property", "all in their order, when a name is repeated", exact).
		or(got("User Property", "all in their order, when a name is repeated", allPairs)),
	cloudEvent: both("User Property", "", exact),

	dataBody:     both("payload", "", exact),
	chunkedBody:  got("payload", "", payload),
	textBody:     both("payload", "Payload Format Indicator 1", exact),
	binaryBody:   got("payload", "", payload),
	valueBody:    got("payload", "JSON, with Payload Format Indicator 1 and Content Type `application/json`", textualJSON),
	sequenceBody: got("payload", "JSON, likewise", textualJSON),
}}

var stompColumn = column{"STOMP", map[field]place{
	address:       both("`destination`", "", exact),
	to:            sent("`destination`", "without its prefix", theAddress),
	atMostOnce:    sent("no `receipt`", "", exact),
	retain:        sent("`retain: true`", "kept by a topic", exact).or(got("`retained: true`", "what was kept", exact)),
	deliveryCount: got("`redelivered: true`", "there were earlier tries", anyTry),

	durable:       both("`persistent: true`", "a queue keeps everything on disk, whatever it says", exact),
	priority:      both("`priority`", "0 to 9, default 4", exact),
	ttl:           both("`expires`", "Unix milliseconds; 0 is never", exact),
	deliveryTime:  sent("`AMQ_SCHEDULED_TIME`", "Unix milliseconds", unseen),
	deliveryDelay: sent("`AMQ_SCHEDULED_DELAY`", "milliseconds", unseen),

	messageID:       both("`amqp-message-id`", "an id, see below", exact),
	subject:         both("`type`", "JMSType", exact),
	replyTo:         both("`reply-to`", "prefixes are stripped; a temporary one becomes its address", exact),
	correlationID:   both("`correlation-id`", "an id, see below", exact),
	contentType:     both("`content-type`", "ASCII", exact),
	contentEncoding: both("`content-encoding`", "ASCII", exact),
	expiryTime:      got("`expires`", "", timeLeft),
	creationTime:    both("`timestamp`", "Unix milliseconds", exact),
	groupID:         both("`JMSXGroupID`", "", exact),

	properties: both("any other header", "values as text; of repeated ones the first", texts),
	cloudEvent: both("`cloudEvents:…`", "", exact),

	dataBody:    both("body", "", exact),
	chunkedBody: got("body", "", payload),
	textBody: sent("body", "", payload).
		or(got("body", "with `content-type: text/plain; charset=utf-8` if it had none", plainText)),
	binaryBody:   got("body", "", payload),
	valueBody:    got("body", "such as a JMS MapMessage: JSON, with `content-type: application/json`", typedJSON),
	sequenceBody: got("body", "JSON, likewise", typedJSON),
}}

var httpColumn = column{"HTTP header", map[field]place{
	address:       sent("the path", "", exact).or(got("`Manifold-Address`", "text", exact)),
	to:            sent("the path", "", theAddress),
	atMostOnce:    sent("`?ack=none`", "", exact),
	retain:        sent("`Manifold-Retain`", "`true` or `false`", exact).or(got("`Manifold-Retained`", "`true`", exact)),
	deliveryCount: got("`Manifold-Attempts`", "0 too", exact),

	durable:       sent("without `?ack=none`", "", unlessSettled),
	priority:      both("`Manifold-Priority`", "0 to 9, if not 4", exact),
	ttl:           both("`Manifold-Ttl`", "seconds, 0.001 to 4294967.295", exact),
	deliveryDelay: sent("`Manifold-Delay`", "seconds, 0.001 to 4294967.295; 501 where nothing is stored", unseen),

	messageID:       both("`Manifold-Message-Id`", "id", exact),
	subject:         both("`Manifold-Subject`", "text", exact),
	replyTo:         both("`Manifold-Reply-To`", "text", exact),
	correlationID:   both("`Manifold-Correlation-Id`", "id", exact),
	contentType:     both("`Content-Type`", "ASCII", exact),
	contentEncoding: both("`Content-Encoding`", "ASCII; the body is not decoded", exact),
	expiryTime:      got("`Manifold-Ttl`", "", timeLeft),
	groupID:         both("`Manifold-Group-Id`", "text", exact),

	properties: both("`Manifold-Property`", "name=value, repeatable", texts),
	cloudEvent: both("`ce-…`", "percent-encoded UTF-8", exact),

	dataBody:    both("the body", "", exact),
	chunkedBody: got("the body", "", payload),
	textBody: sent("the body", "", payload).
		or(got("the body", "with `text/plain; charset=utf-8` if it had no type", plainText)),
	binaryBody:   got("the body", "", payload),
	valueBody:    got("the body", "JSON, with `application/json`", typedJSON),
	sequenceBody: got("the body", "JSON, likewise", typedJSON),
}}

var jsonColumn = column{"JSON member", map[field]place{
	address:       sent("the path, or `address` of an order", "", exact).or(got("`address`", "", exact)),
	to:            sent("the path, or `address` of an order", "", theAddress),
	atMostOnce:    sent("`?ack=none`", "", exact),
	retain:        sent("`retain`", "", exact).or(got("`retained`", "", exact)),
	deliveryCount: got("`attempts`", "", exact),

	durable:       sent("without `?ack=none`", "", unlessSettled),
	priority:      both("`priority`", "", exact),
	ttl:           both("`ttl`", "seconds", exact),
	deliveryDelay: sent("`delay`", "seconds", unseen),

	messageID:       both("`messageId`", "id", exact),
	subject:         both("`subject`", "", exact),
	replyTo:         both("`replyTo`", "", exact),
	correlationID:   both("`correlationId`", "id", exact),
	contentType:     both("`contentType`", "ASCII", exact),
	contentEncoding: both("`contentEncoding`", "ASCII", exact),
	expiryTime:      got("`ttl`", "", timeLeft),
	groupID:         both("`groupId`", "", exact),

	properties: sent("`properties`", "strings, booleans, and numbers as long or double", fromJSON).
		or(got("`properties`", "the nearest type", jsonMembers)),
	cloudEvent: both("`properties`", "", exact),

	dataBody:     both("`body` or `bodyBase64`", "", exact),
	chunkedBody:  got("`body` or `bodyBase64`", "", payload),
	textBody:     sent("`body`", "", payload).or(got("`body`", "", plainText)),
	binaryBody:   got("`body` or `bodyBase64`", "", payload),
	valueBody:    got("`body`", "a string of JSON", typedJSON),
	sequenceBody: got("`body`", "likewise", typedJSON),
}}

var coapColumn = column{"CoAP", map[field]place{
	address: sent("the path `a/…`", "", exact).
		or(got("`address`", "where the path has a wildcard also Location-Path `a/…`", exact)),
	to:            sent("the path `a/…`", "", theAddress),
	atMostOnce:    sent("NON", "", exact),
	retain:        sent("`retain`", "or PUT in place of POST", exact).or(got("`retained`", "", exact)),
	deliveryCount: got("`attempts`", "if there were any", exact),

	durable:  sent("CON, TCP and WebSocket", "", unlessSettled),
	priority: both("`priority`", "0 to 9, if not 4", exact),
	ttl: sent("`ttl` or Max-Age", "seconds, those of `ttl` with a fraction", exact).
		or(got("Max-Age", "whole seconds, rounded up", exact)),
	deliveryDelay: sent("`delay`", "seconds, with a fraction; 5.01 where nothing is stored", unseen),

	messageID:       both("`message-id`", "id", exact),
	userID:          got("`user-id`", "", exact),
	subject:         both("`subject`", "", exact),
	replyTo:         both("`reply-to`", "", exact),
	correlationID:   both("`correlation-id`", "id", exact),
	contentType:     both("Content-Format, or `content-type`", "where there is no number for it", exact),
	contentEncoding: both("Content-Format, or `content-encoding`", "where there is no number for it", exact),
	expiryTime:      got("Max-Age", "", timeLeft),
	creationTime:    got("`creation-time`", "Unix milliseconds", exact),
	groupID:         both("`group-id`", "", exact),

	properties: both("`property`", "NAME=VALUE, repeatable", texts),
	cloudEvent: both("`property`", "`cloudEvents:…`", exact),

	dataBody:    both("payload", "", exact),
	chunkedBody: got("payload", "", payload),
	textBody: sent("payload", "", payload).
		or(got("payload", "with Content-Format 0 if it had no type", plainText)),
	binaryBody:   got("payload", "", payload),
	valueBody:    got("payload", "JSON, with Content-Format 50", typedJSON),
	sequenceBody: got("payload", "JSON, likewise", typedJSON),
}}
