import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.Topic;

/** Sessions that send and receive all or nothing. */
final class Transactions {
    private static Session transacted(Broker broker) throws Exception {
        return broker.connect().createSession(Session.SESSION_TRANSACTED);
    }

    public static void commitSends(Broker broker) throws Exception {
        Session session = transacted(broker);
        Queue queue = session.createQueue(broker.queue());
        MessageConsumer consumer = broker.session().createConsumer(queue);
        Broker.send(session, queue, "a", "b");
        Broker.nothing(consumer);
        session.commit();
        Broker.receive(consumer, "a", "b");
        Broker.send(session, queue, "c");
        session.commit();
        Broker.receive(consumer, "c");
    }

    public static void rollbackSendsNothing(Broker broker) throws Exception {
        Session session = transacted(broker);
        Queue queue = session.createQueue(broker.queue());
        MessageConsumer consumer = broker.session().createConsumer(queue);
        Broker.send(session, queue, "a", "b");
        session.rollback();
        Broker.send(session, queue, "c");
        session.commit();
        Broker.receive(consumer, "c");
        Broker.nothing(consumer);
    }

    public static void commitTakes(Broker broker) throws Exception {
        Connection connection = broker.connect();
        Session session = connection.createSession(Session.SESSION_TRANSACTED);
        Queue queue = session.createQueue(broker.queue());
        Broker.send(broker.session(), queue, "a", "b", "c");
        MessageConsumer consumer = session.createConsumer(queue);
        Broker.receive(consumer, "a", "b");
        session.commit();
        connection.close();
        MessageConsumer next = broker.session().createConsumer(queue);
        Broker.receive(next, "c");
        Broker.nothing(next);
    }

    public static void rollbackBringsBack(Broker broker) throws Exception {
        Session session = transacted(broker);
        Queue queue = session.createQueue(broker.queue());
        Broker.send(broker.session(), queue, "a", "b", "c");
        MessageConsumer consumer = session.createConsumer(queue);
        Broker.receive(consumer, "a", "b");
        for (int count = 2; count <= 4; count++) {
            session.rollback();
            Acknowledgements.redelivered(Broker.take(consumer), "a", count);
            Acknowledgements.redelivered(Broker.take(consumer), "b", count);
        }
        session.commit();
        Message unseen = Broker.take(consumer);
        Broker.equal("c", Broker.text(unseen), "body");
        session.commit();
        Broker.nothing(consumer);
    }

    public static void commitMovesFromQueueToQueue(Broker broker) throws Exception {
        Session session = transacted(broker);
        Queue from = session.createQueue(broker.queue() + "/from");
        Queue to = session.createQueue(broker.queue() + "/to");
        MessageConsumer taker = session.createConsumer(from);
        MessageConsumer end = broker.session().createConsumer(to);
        Broker.send(broker.session(), from, "moved");
        Broker.receive(taker, "moved");
        Broker.send(session, to, "moved");
        session.rollback();
        Broker.nothing(end);
        Broker.receive(taker, "moved");
        Broker.send(session, to, "moved");
        session.commit();
        Broker.receive(end, "moved");
        Broker.nothing(taker);
    }

    public static void commitPublishes(Broker broker) throws Exception {
        Session session = transacted(broker);
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer subscriber = broker.session().createConsumer(topic);
        Broker.send(session, topic, "a");
        Broker.nothing(subscriber);
        session.commit();
        Broker.receive(subscriber, "a");
        Broker.send(session, topic, "b");
        session.rollback();
        Broker.nothing(subscriber);
    }

    public static void durableSubscriberRollsBack(Broker broker) throws Exception {
        Session session = broker.connectAs(broker.client()).createSession(Session.SESSION_TRANSACTED);
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer consumer = session.createDurableConsumer(topic, "transacted");
        Broker.send(broker.session(), topic, "a");
        Broker.receive(consumer, "a");
        session.rollback();
        Acknowledgements.redelivered(Broker.take(consumer), "a", 2);
        session.commit();
        consumer.close();
        session.unsubscribe("transacted");
    }

    public static void sharedDurableSubscriberRollsBack(Broker broker) throws Exception {
        Session session = transacted(broker);
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer consumer = session.createSharedDurableConsumer(topic, "shared and transacted");
        Broker.send(broker.session(), topic, "a");
        Broker.receive(consumer, "a");
        session.rollback();
        Acknowledgements.redelivered(Broker.take(consumer), "a", 2);
        session.commit();
        consumer.close();
        session.unsubscribe("shared and transacted");
    }

    public static void closedConnectionRollsBack(Broker broker) throws Exception {
        Connection connection = broker.connect();
        endsWithoutCommit(broker, connection.createSession(Session.SESSION_TRANSACTED), connection);
    }

    public static void closedSessionRollsBack(Broker broker) throws Exception {
        Session session = transacted(broker);
        endsWithoutCommit(broker, session, session);
    }

    private static void endsWithoutCommit(Broker broker, Session session, AutoCloseable end) throws Exception {
        Queue taken = session.createQueue(broker.queue() + "/taken");
        Queue sent = session.createQueue(broker.queue() + "/sent");
        Session plain = broker.session();
        Broker.send(plain, taken, "a");
        Broker.receive(session.createConsumer(taken), "a");
        Broker.send(session, sent, "never");
        end.close();
        Broker.receive(plain.createConsumer(taken), "a");
        Broker.nothing(plain.createConsumer(sent));
    }

    public static void sessionsDoNotDisturbEachOther(Broker broker) throws Exception {
        Connection connection = broker.connect();
        Session one = connection.createSession(Session.SESSION_TRANSACTED);
        Session other = connection.createSession(Session.SESSION_TRANSACTED);
        Queue queue = one.createQueue(broker.queue());
        MessageConsumer consumer = broker.session().createConsumer(queue);
        Broker.send(one, queue, "rolled back");
        Broker.send(other, queue, "committed");
        one.rollback();
        other.commit();
        Broker.receive(consumer, "committed");
        Broker.nothing(consumer);
    }

    public static void largeTransactionCommits(Broker broker) throws Exception {
        Session session = transacted(broker);
        Queue queue = session.createQueue(broker.queue());
        String[] texts = new String[2_500]; // more than the credit that a sender is given at first
        for (int i = 0; i < texts.length; i++) {
            texts[i] = "number " + i;
        }
        Broker.send(session, queue, texts);
        session.commit();
        MessageConsumer consumer = session.createConsumer(queue);
        Broker.receive(consumer, texts);
        session.commit();
        Broker.nothing(consumer);
    }

    public static void producerNamesQueueInEachSend(Broker broker) throws Exception {
        Session session = transacted(broker);
        MessageProducer producer = session.createProducer(null);
        Destination[] queues = {session.createQueue(broker.queue() + "/a"), session.createQueue(broker.queue() + "/b")};
        for (Destination queue : queues) {
            producer.send(queue, session.createTextMessage("both"));
        }
        session.commit();
        for (Destination queue : queues) {
            Broker.receive(broker.session().createConsumer(queue), "both");
        }
    }

    public static void emptyTransactionCommits(Broker broker) throws Exception {
        Session session = transacted(broker);
        session.commit();
        session.rollback();
        session.commit();
    }

    private Transactions() {}
}
