import jakarta.jms.CompletionListener;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.apache.qpid.jms.policy.JmsDefaultPrefetchPolicy;

/** Sending to queues, receiving from them, and looking at them. */
final class Queues {
    public static void sendAndReceive(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        long before = System.currentTimeMillis();
        Broker.send(session, queue, "hello");
        Message m = Broker.take(session.createConsumer(queue));
        Broker.equal("hello", Broker.text(m), "body");
        Broker.equal(queue, m.getJMSDestination(), "destination");
        Broker.equal(DeliveryMode.PERSISTENT, m.getJMSDeliveryMode(), "delivery mode");
        Broker.equal(false, m.getJMSRedelivered(), "redelivered");
        Broker.equal(1, m.getIntProperty("JMSXDeliveryCount"), "delivery count");
        Broker.equal(4, m.getJMSPriority(), "priority");
        Broker.equal(0L, m.getJMSExpiration(), "expiration");
        Broker.that(m.getJMSMessageID().startsWith("ID:"), "no message identifier");
        Broker.that(m.getJMSTimestamp() >= before, "no timestamp");
    }

    public static void orderIsKept(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        String[] texts = new String[2_500]; // more than twice the client's prefetch of 1,000
        for (int i = 0; i < texts.length; i++) {
            texts[i] = "number " + i;
        }
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        for (String text : texts) {
            producer.send(session.createTextMessage(text));
        }
        Broker.receive(session.createConsumer(queue), texts);
    }

    public static void consumersCompete(Broker broker) throws Exception {
        Session sender = broker.session();
        Queue queue = sender.createQueue(broker.queue());
        MessageConsumer one = broker.session().createConsumer(queue);
        MessageConsumer other = broker.session().createConsumer(queue);
        Broker.send(sender, queue, "a", "b", "c", "d");
        List<String> got = new ArrayList<>();
        for (MessageConsumer consumer : List.of(one, other, one, other)) {
            got.add(Broker.text(Broker.take(consumer)));
        }
        Collections.sort(got);
        Broker.equal(List.of("a", "b", "c", "d"), got, "what both received");
    }

    public static void selectorTakesWhatMatches(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        for (String colour : new String[] {"red", "green", "blue", "red"}) {
            Message m = session.createTextMessage(colour);
            m.setStringProperty("colour", colour);
            m.setIntProperty("length", colour.length());
            producer.send(m);
        }
        MessageConsumer red = session.createConsumer(queue, "colour = 'red' AND length < 4");
        Broker.receive(red, "red", "red");
        Broker.nothing(red);
        red.close();
        MessageConsumer rest = session.createConsumer(queue);
        Broker.receive(rest, "green", "blue");
        Broker.nothing(rest);
    }

    public static void selectorSeesHeaders(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        Message m = session.createTextMessage("an order");
        m.setJMSType("order");
        m.setJMSCorrelationID("case 7");
        producer.send(m, DeliveryMode.NON_PERSISTENT, 7, 0);
        Broker.send(session, queue, "another");
        MessageConsumer consumer = session.createConsumer(queue, "JMSType = 'order' AND JMSCorrelationID LIKE 'case %'"
            + " AND JMSPriority > 5 AND JMSDeliveryMode = 'NON_PERSISTENT' AND JMSTimestamp > 0 AND unknown IS NULL");
        Broker.receive(consumer, "an order");
        Broker.nothing(consumer);
    }

    public static void messageIdentifierSelectsItsMessage(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        Message wanted = session.createTextMessage("wanted");
        Broker.send(session, queue, "before");
        producer.send(wanted);
        MessageConsumer consumer = session.createConsumer(queue, "JMSMessageID = '" + wanted.getJMSMessageID() + "'");
        Broker.receive(consumer, "wanted");
        Broker.nothing(consumer);
    }

    public static void browserTakesNothing(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a", "b", "c");
        for (int i = 0; i < 2; i++) {
            try (QueueBrowser browser = session.createBrowser(queue)) {
                Broker.equal(List.of("a", "b", "c"), texts(browser), "what is browsed");
            }
        }
        Broker.receive(session.createConsumer(queue), "a", "b", "c");
        try (QueueBrowser browser = session.createBrowser(queue)) {
            Broker.equal(List.of(), texts(browser), "what is browsed of the empty queue");
        }
    }

    public static void browserReadsManyMessages(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        List<String> sent = new ArrayList<>();
        for (int i = 0; i < 2_100; i++) { // more than twice the client's prefetch of 1,000
            sent.add("number " + i);
            producer.send(session.createTextMessage("number " + i));
        }
        try (QueueBrowser browser = session.createBrowser(queue)) {
            Broker.equal(sent, texts(browser), "what is browsed");
        }
    }

    public static void browserSelects(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 6; i++) {
            Message m = session.createTextMessage("number " + i);
            m.setIntProperty("n", i);
            producer.send(m);
        }
        try (QueueBrowser browser = session.createBrowser(queue, "n BETWEEN 2 AND 3 OR n = 5")) {
            Broker.equal(List.of("number 2", "number 3", "number 5"), texts(browser), "what is browsed");
        }
    }

    private static List<String> texts(QueueBrowser browser) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (Enumeration<?> e = browser.getEnumeration(); e.hasMoreElements();) {
            texts.add(Broker.text((Message) e.nextElement()));
        }
        return texts;
    }

    public static void producerNamesQueueInEachSend(Broker broker) throws Exception {
        Session session = broker.session();
        MessageProducer producer = session.createProducer(null);
        for (String name : new String[] {broker.queue() + "/a", broker.queue() + "/b"}) {
            Queue queue = session.createQueue(name);
            producer.send(queue, session.createTextMessage(name));
            Broker.receive(session.createConsumer(queue), name);
        }
    }

    public static void unknownQueueIsRefused(Broker broker) throws Exception {
        Session session = broker.session();
        Queue nowhere = session.createQueue("nowhere");
        Broker.refused(InvalidDestinationException.class, () -> session.createProducer(nowhere));
        Broker.refused(InvalidDestinationException.class, () -> session.createConsumer(nowhere));
        Broker.send(session, session.createQueue(broker.queue()), "the session goes on");
    }

    public static void topicIsNoQueue(Broker broker) throws Exception {
        Session session = broker.session();
        Broker.refused(JMSException.class, () -> session.createProducer(session.createQueue(broker.topic())));
        Broker.refused(JMSException.class, () -> session.createProducer(session.createTopic(broker.queue())));
    }

    public static void largeMessagePasses(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        String text = "0123456789".repeat(90_000);
        Broker.send(session, queue, text);
        Broker.receive(session.createConsumer(queue), text);
    }

    public static void tooLargeMessageIsRefused(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        Broker.refused(JMSException.class, () -> Broker.send(session, queue, "0123456789".repeat(200_000)));
    }

    public static void sendCompletesLater(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        BlockingQueue<Object> completions = new ArrayBlockingQueue<>(100);
        CompletionListener listener = new CompletionListener() {
            @Override
            public void onCompletion(Message m) {
                try {
                    completions.add(Broker.text(m));
                } catch (JMSException e) {
                    completions.add(e);
                }
            }

            @Override
            public void onException(Message m, Exception e) {
                completions.add(e);
            }
        };
        for (int i = 0; i < 50; i++) {
            producer.send(session.createTextMessage("number " + i), listener);
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int i = 0; i < 50; i++) {
            Broker.equal("number " + i, completions.poll(Broker.PATIENCE, TimeUnit.MILLISECONDS), "completion");
            Broker.receive(consumer, "number " + i);
        }
    }

    public static void listenerHears(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        CountDownLatch heard = new CountDownLatch(20);
        session.createConsumer(queue).setMessageListener(m -> heard.countDown());
        Session sender = broker.session();
        for (int i = 0; i < 20; i++) {
            Broker.send(sender, queue, "number " + i);
        }
        Broker.that(heard.await(Broker.PATIENCE, TimeUnit.MILLISECONDS), heard.getCount() + " messages are missing");
    }

    public static void receiveWithoutWaiting(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageConsumer consumer = session.createConsumer(queue);
        Broker.equal(null, consumer.receiveNoWait(), "what the empty queue gave");
        Broker.send(session, queue, "a", "b");
        Broker.receive(consumer, "a");
        Broker.equal("b", Broker.text(consumer.receiveNoWait()), "body");
        Broker.equal(null, consumer.receiveNoWait(), "what the emptied queue gave");
    }

    public static void stoppedConnectionReceivesNothing(Broker broker) throws Exception {
        Connection connection = broker.connect();
        Session session = connection.createSession();
        Queue queue = session.createQueue(broker.queue());
        MessageConsumer consumer = session.createConsumer(queue);
        connection.stop();
        Broker.send(session, queue, "waits");
        Broker.nothing(consumer);
        connection.start();
        Broker.receive(consumer, "waits");
    }

    public static void consumerWithoutPrefetchReceives(Broker broker) throws Exception {
        JmsDefaultPrefetchPolicy none = new JmsDefaultPrefetchPolicy();
        none.setAll(0);
        JmsConnectionFactory factory = broker.factory();
        factory.setPrefetchPolicy(none);
        try (Connection connection = factory.createConnection()) {
            connection.start();
            Session session = connection.createSession();
            Queue queue = session.createQueue(broker.queue());
            MessageConsumer consumer = session.createConsumer(queue);
            Broker.equal(null, consumer.receiveNoWait(), "what the empty queue gave");
            Broker.nothing(consumer);
            Broker.send(session, queue, "a", "b", "c");
            Broker.equal("a", Broker.text(consumer.receiveNoWait()), "body");
            Broker.receive(consumer, "b", "c");
            Broker.nothing(consumer);
        }
    }

    private Queues() {}
}
