import jakarta.jms.BytesMessage;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageProducer;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.StreamMessage;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** What is in a message comes out of it again. */
final class MessageTypes {
    /** A value of each type that JMS knows. */
    private static final Map<String, Object> VALUES = new LinkedHashMap<>();
    private static final UUID IDENTIFIER = UUID.fromString("01234567-89ab-cdef-0123-456789abcdef");

    static {
        VALUES.put("aBoolean", true);
        VALUES.put("aByte", Byte.MIN_VALUE);
        VALUES.put("aShort", Short.MIN_VALUE);
        VALUES.put("anInt", Integer.MIN_VALUE);
        VALUES.put("aLong", Long.MIN_VALUE);
        VALUES.put("aFloat", Float.MIN_VALUE);
        VALUES.put("aDouble", Double.MAX_VALUE);
        VALUES.put("aString", "naïve 道 \uD83D\uDE80 \u0000 end");
    }

    /** Sends a message to a queue and gives what comes out. */
    private static Message pass(Session session, Broker broker, Message sent) throws Exception {
        Queue queue = session.createQueue(broker.queue());
        session.createProducer(queue).send(sent);
        try (var consumer = session.createConsumer(queue)) {
            return Broker.take(consumer);
        }
    }

    public static void text(Broker broker) throws Exception {
        Session session = broker.session();
        for (String text : new String[] {"", "plain", (String) VALUES.get("aString"), null}) {
            Broker.equal(text, Broker.text(pass(session, broker, session.createTextMessage(text))), "text");
        }
    }

    public static void bytes(Broker broker) throws Exception {
        Session session = broker.session();
        BytesMessage sent = session.createBytesMessage();
        sent.writeBoolean(true);
        sent.writeByte((byte) -1);
        sent.writeShort((short) -2);
        sent.writeChar('道');
        sent.writeInt(-3);
        sent.writeLong(-4);
        sent.writeFloat(0.5f);
        sent.writeDouble(-0.25);
        sent.writeUTF("naïve");
        sent.writeBytes(new byte[] {0, 1, 2});
        BytesMessage got = (BytesMessage) pass(session, broker, sent);
        Broker.equal(true, got.readBoolean(), "boolean");
        Broker.equal((byte) -1, got.readByte(), "byte");
        Broker.equal((short) -2, got.readShort(), "short");
        Broker.equal('道', got.readChar(), "char");
        Broker.equal(-3, got.readInt(), "int");
        Broker.equal(-4L, got.readLong(), "long");
        Broker.equal(0.5f, got.readFloat(), "float");
        Broker.equal(-0.25, got.readDouble(), "double");
        Broker.equal("naïve", got.readUTF(), "text");
        byte[] rest = new byte[3];
        Broker.equal(3, got.readBytes(rest), "bytes left");
        Broker.equal(new byte[] {0, 1, 2}, rest, "bytes");
        Broker.equal(-1, got.readBytes(rest), "bytes after the end");
    }

    public static void map(Broker broker) throws Exception {
        Session session = broker.session();
        MapMessage sent = session.createMapMessage();
        for (Map.Entry<String, Object> e : VALUES.entrySet()) {
            sent.setObject(e.getKey(), e.getValue());
        }
        sent.setChar("aChar", '道');
        sent.setBytes("bytes", new byte[] {0, -1});
        sent.setObject("nothing", null);
        MapMessage got = (MapMessage) pass(session, broker, sent);
        Broker.equal(VALUES.size() + 3, names(got), "number of entries");
        for (Map.Entry<String, Object> e : VALUES.entrySet()) {
            Broker.equal(e.getValue(), got.getObject(e.getKey()), e.getKey());
        }
        Broker.equal('道', got.getChar("aChar"), "char");
        Broker.equal(new byte[] {0, -1}, got.getBytes("bytes"), "bytes");
        Broker.that(got.itemExists("nothing") && got.getObject("nothing") == null, "nothing is not null");
    }

    private static int names(MapMessage m) throws Exception {
        int names = 0;
        for (Enumeration<?> e = m.getMapNames(); e.hasMoreElements(); e.nextElement()) {
            names++;
        }
        return names;
    }

    public static void stream(Broker broker) throws Exception {
        Session session = broker.session();
        StreamMessage sent = session.createStreamMessage();
        for (Object value : VALUES.values()) {
            sent.writeObject(value);
        }
        sent.writeChar('道');
        sent.writeBytes(new byte[] {0, -1});
        sent.writeObject(null);
        StreamMessage got = (StreamMessage) pass(session, broker, sent);
        for (Map.Entry<String, Object> e : VALUES.entrySet()) {
            Broker.equal(e.getValue(), got.readObject(), e.getKey());
        }
        Broker.equal('道', got.readChar(), "char");
        Broker.equal(new byte[] {0, -1}, got.readObject(), "bytes");
        Broker.equal(null, got.readObject(), "nothing");
    }

    public static void object(Broker broker) throws Exception {
        Session session = broker.session();
        Serializable value = new ArrayList<>(List.of("text", 42, IDENTIFIER));
        ObjectMessage got = (ObjectMessage) pass(session, broker, session.createObjectMessage(value));
        Broker.equal(value, got.getObject(), "object");
    }

    /** An object message that Qpid JMS encodes in AMQP's types instead of Java's. */
    public static void typedObject(Broker broker) throws Exception {
        Session session = broker.session();
        for (Serializable value : List.of("text", new ArrayList<>(List.of(1, "two", 3L, 0.5, true)),
            new LinkedHashMap<>(Map.of("id", IDENTIFIER)))) {
            ObjectMessage sent = session.createObjectMessage();
            sent.setBooleanProperty("JMS_AMQP_TYPED_ENCODING", true);
            sent.setObject(value);
            ObjectMessage got = (ObjectMessage) pass(session, broker, sent);
            Broker.equal(value, got.getObject(), "object");
            Broker.equal(true, got.getBooleanProperty("JMS_AMQP_TYPED_ENCODING"), "typed encoding");
        }
    }

    public static void withoutBody(Broker broker) throws Exception {
        Session session = broker.session();
        Message sent = session.createMessage();
        sent.setStringProperty("only", "this");
        Broker.equal("this", pass(session, broker, sent).getStringProperty("only"), "property");
    }

    /** Every type of property on every type of message. */
    public static void properties(Broker broker) throws Exception {
        Session session = broker.session();
        for (Message sent : List.of(session.createMessage(), session.createTextMessage("t"),
            session.createBytesMessage(), session.createMapMessage(), session.createStreamMessage(),
            session.createObjectMessage("o"))) {
            sent.setBooleanProperty("aBoolean", (Boolean) VALUES.get("aBoolean"));
            sent.setByteProperty("aByte", (Byte) VALUES.get("aByte"));
            sent.setShortProperty("aShort", (Short) VALUES.get("aShort"));
            sent.setIntProperty("anInt", (Integer) VALUES.get("anInt"));
            sent.setLongProperty("aLong", (Long) VALUES.get("aLong"));
            sent.setFloatProperty("aFloat", (Float) VALUES.get("aFloat"));
            sent.setDoubleProperty("aDouble", (Double) VALUES.get("aDouble"));
            sent.setStringProperty("aString", (String) VALUES.get("aString"));
            sent.setObjectProperty("anObject", 12345);
            Message got = pass(session, broker, sent);
            Broker.equal(sent.getClass(), got.getClass(), "class");
            for (Map.Entry<String, Object> e : VALUES.entrySet()) {
                Broker.equal(e.getValue(), got.getObjectProperty(e.getKey()), e.getKey());
            }
            Broker.equal(12345, got.getObjectProperty("anObject"), "object property");
        }
    }

    public static void headers(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        for (Destination replyTo : List.of(session.createQueue("queues/a"), session.createTopic("telemetry/a"))) {
            Message sent = session.createTextMessage("t");
            sent.setJMSType("order");
            sent.setJMSCorrelationID("a correlation");
            sent.setJMSReplyTo(replyTo);
            sent.setStringProperty("JMSXGroupID", "group");
            sent.setIntProperty("JMSXGroupSeq", 7);
            MessageProducer producer = session.createProducer(queue);
            producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
            producer.setPriority(8);
            producer.send(sent);
            try (var consumer = session.createConsumer(queue)) {
                Message got = Broker.take(consumer);
                Broker.equal("order", got.getJMSType(), "type");
                Broker.equal("a correlation", got.getJMSCorrelationID(), "correlation identifier");
                Broker.equal(replyTo, got.getJMSReplyTo(), "reply-to");
                Broker.equal("group", got.getStringProperty("JMSXGroupID"), "group");
                Broker.equal(7, got.getIntProperty("JMSXGroupSeq"), "group sequence");
                Broker.equal(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode(), "delivery mode");
                Broker.equal(8, got.getJMSPriority(), "priority");
                Broker.equal(sent.getJMSMessageID(), got.getJMSMessageID(), "message identifier");
                Broker.equal(sent.getJMSTimestamp(), got.getJMSTimestamp(), "timestamp");
            }
        }
    }

    public static void binaryCorrelation(Broker broker) throws Exception {
        Session session = broker.session();
        Message sent = session.createMessage();
        sent.setJMSCorrelationIDAsBytes(new byte[] {0, 1, -1});
        Message got = pass(session, broker, sent);
        Broker.equal(new byte[] {0, 1, -1}, got.getJMSCorrelationIDAsBytes(), "correlation identifier");
    }

    private MessageTypes() {}
}
