import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.qpid.jms.JmsConnectionFactory;

/** What a check has in hand: connections with the client's default options, which end with it, and expectations. */
final class Broker implements AutoCloseable {
    /** How long a message that has to come may take. */
    static final long PATIENCE = 5_000;
    /** How long is listened for a message that must not come. */
    static final long SILENCE = 300;

    private final String door;
    private final String check;
    private final List<Connection> connections = new ArrayList<>();

    Broker(String door, String check) {
        this.door = door;
        this.check = check;
    }

    /** The name of a queue that no other check has. */
    String queue() {
        return "queues/" + check;
    }

    /** The name of a topic that no other check has. */
    String topic() {
        return "telemetry/" + check;
    }

    /** The name for a client that no other check has. */
    String client() {
        return "client-" + check;
    }

    JmsConnectionFactory factory() {
        return new JmsConnectionFactory("amqp://" + door);
    }

    /** Connects without a client identifier, and starts. */
    Connection connect() throws JMSException {
        return connectAs(null);
    }

    /** Connects with a client identifier, and starts. */
    Connection connectAs(String client) throws JMSException {
        Connection c = factory().createConnection();
        connections.add(c);
        if (client != null) {
            c.setClientID(client);
        }
        c.start();
        return c;
    }

    Session session() throws JMSException {
        return connect().createSession();
    }

    /** Ends the check's connections. */
    @Override
    public void close() throws JMSException {
        for (Connection c : connections) {
            c.close();
        }
    }

    /** Sends texts over a session of the caller. */
    static void send(Session session, Destination to, String... texts) throws JMSException {
        try (MessageProducer producer = session.createProducer(to)) {
            for (String text : texts) {
                producer.send(session.createTextMessage(text));
            }
        }
    }

    /** Receives texts, in this order. */
    static void receive(MessageConsumer consumer, String... texts) throws JMSException {
        for (String text : texts) {
            equal(text, text(take(consumer)), "body");
        }
    }

    /** Receives the next message, which has to come. */
    static Message take(MessageConsumer consumer) throws JMSException {
        Message m = consumer.receive(PATIENCE);
        if (m == null) {
            throw new AssertionError("no message came");
        }
        return m;
    }

    static String text(Message m) throws JMSException {
        return ((TextMessage) m).getText();
    }

    /** Expects that nothing more comes. */
    static void nothing(MessageConsumer consumer) throws JMSException {
        Message m = consumer.receive(SILENCE);
        if (m != null) {
            throw new AssertionError("a message came that must not: " + m.getBody(Object.class));
        }
    }

    static void equal(Object want, Object got, String what) {
        if (!Objects.deepEquals(want, got)) {
            throw new AssertionError(what + " is " + got + ", want " + want);
        }
    }

    static void that(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** Something that must end with an exception. */
    interface Attempt {
        void run() throws Exception;
    }

    /** Expects an exception of a class. */
    static void refused(Class<? extends Exception> want, Attempt attempt) throws Exception {
        try {
            attempt.run();
        } catch (Exception e) {
            if (want.isInstance(e)) {
                return;
            }
            throw e;
        }
        throw new AssertionError("not refused with " + want.getSimpleName());
    }
}
