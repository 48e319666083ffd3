import jakarta.jms.Connection;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** When a message leaves its queue, and how it comes back. */
final class Acknowledgements {
    /** Qpid JMS has two acknowledgement modes of its own. */
    private static final int INDIVIDUAL_ACKNOWLEDGE = 101;
    private static final int NO_ACKNOWLEDGE = 100;

    public static void autoTakesEach(Broker broker) throws Exception {
        takenBy(broker, Session.AUTO_ACKNOWLEDGE);
    }

    public static void dupsOkTakesEach(Broker broker) throws Exception {
        takenBy(broker, Session.DUPS_OK_ACKNOWLEDGE);
    }

    public static void noneTakesEach(Broker broker) throws Exception {
        takenBy(broker, NO_ACKNOWLEDGE);
    }

    private static void takenBy(Broker broker, int mode) throws Exception {
        Connection connection = broker.connect();
        Session session = connection.createSession(mode);
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a", "b");
        Broker.receive(session.createConsumer(queue), "a", "b");
        connection.close();
        Broker.nothing(broker.session().createConsumer(queue));
    }

    public static void clientTakesAllSoFar(Broker broker) throws Exception {
        Connection connection = broker.connect();
        Session session = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a", "b", "c");
        MessageConsumer consumer = session.createConsumer(queue);
        Broker.receive(consumer, "a");
        Broker.take(consumer).acknowledge();
        Broker.receive(consumer, "c");
        connection.close();
        MessageConsumer next = broker.session().createConsumer(queue);
        Broker.receive(next, "c");
        Broker.nothing(next);
    }

    public static void individualTakesOne(Broker broker) throws Exception {
        Connection connection = broker.connect();
        Session session = connection.createSession(INDIVIDUAL_ACKNOWLEDGE);
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a", "b", "c");
        MessageConsumer consumer = session.createConsumer(queue);
        Broker.receive(consumer, "a");
        Broker.take(consumer).acknowledge();
        Broker.receive(consumer, "c");
        connection.close();
        MessageConsumer next = broker.session().createConsumer(queue);
        Broker.receive(next, "a", "c");
        Broker.nothing(next);
    }

    public static void recoverBringsBack(Broker broker) throws Exception {
        Session session = broker.connect().createSession(Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a", "b");
        MessageConsumer consumer = session.createConsumer(queue);
        Broker.receive(consumer, "a", "b");
        session.recover();
        redelivered(Broker.take(consumer), "a", 2);
        Message last = Broker.take(consumer);
        redelivered(last, "b", 2);
        last.acknowledge();
        session.recover();
        Broker.nothing(consumer);
    }

    public static void lostConsumerGivesBack(Broker broker) throws Exception {
        Connection connection = broker.connect();
        Session session = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a", "b");
        Broker.receive(session.createConsumer(queue), "a");
        connection.close();
        MessageConsumer next = broker.session().createConsumer(queue);
        redelivered(Broker.take(next), "a", 2);
        Message second = Broker.take(next);
        Broker.equal("b", Broker.text(second), "body of what was only prefetched");
    }

    public static void closedConsumerGivesBackWhatWasPrefetched(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a", "b", "c");
        MessageConsumer first = session.createConsumer(queue);
        Broker.receive(first, "a");
        first.close();
        MessageConsumer next = session.createConsumer(queue);
        for (String text : new String[] {"b", "c"}) {
            Message m = Broker.take(next);
            Broker.equal(text, Broker.text(m), "body");
            Broker.equal(false, m.getJMSRedelivered(), "redelivered, of what nobody has seen");
        }
    }

    /** The client releases what its listener fails on, so the delivery count does not rise. */
    public static void listenerThatFailsHearsAgain(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        Broker.send(session, queue, "a");
        CountDownLatch attempts = new CountDownLatch(3);
        CountDownLatch tooMany = new CountDownLatch(4);
        session.createConsumer(queue).setMessageListener(m -> {
            tooMany.countDown();
            attempts.countDown();
            if (attempts.getCount() > 0) {
                throw new IllegalStateException("the listener fails, as it is to");
            }
        });
        Broker.that(attempts.await(Broker.PATIENCE, TimeUnit.MILLISECONDS), "it does not hear again");
        Broker.that(!tooMany.await(Broker.SILENCE, TimeUnit.MILLISECONDS), "it hears again what it has taken");
    }

    static void redelivered(Message m, String text, int count) throws Exception {
        Broker.equal(text, Broker.text(m), "body");
        Broker.equal(true, m.getJMSRedelivered(), "redelivered");
        Broker.equal(count, m.getIntProperty("JMSXDeliveryCount"), "delivery count");
    }

    private Acknowledgements() {}
}
