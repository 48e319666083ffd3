import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueConnection;
import jakarta.jms.QueueRequestor;
import jakarta.jms.QueueSession;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TemporaryTopic;

/** Requests whose replies come to temporary destinations. */
final class Requests {
    public static void temporaryQueueGetsReply(Broker broker) throws Exception {
        Session session = broker.session();
        exchange(broker, session, session.createTemporaryQueue());
    }

    public static void temporaryTopicGetsReply(Broker broker) throws Exception {
        Session session = broker.session();
        exchange(broker, session, session.createTemporaryTopic());
    }

    private static void exchange(Broker broker, Session session, Destination replies) throws Exception {
        Queue service = session.createQueue(broker.queue());
        serve(broker, service);
        MessageConsumer consumer = session.createConsumer(replies);
        MessageProducer producer = session.createProducer(service);
        for (int i = 0; i < 5; i++) {
            Message request = session.createTextMessage("request " + i);
            request.setJMSReplyTo(replies);
            request.setJMSCorrelationID("c-" + i);
            producer.send(request);
            Message reply = Broker.take(consumer);
            Broker.equal("REQUEST " + i, Broker.text(reply), "body");
            Broker.equal("c-" + i, reply.getJMSCorrelationID(), "correlation identifier");
            Broker.equal(replies, reply.getJMSDestination(), "destination");
        }
    }

    /** Answers, on a connection of its own, each request with its text in capitals. */
    private static void serve(Broker broker, Queue service) throws Exception {
        Session session = broker.session();
        MessageProducer replier = session.createProducer(null);
        session.createConsumer(service).setMessageListener(request -> {
            try {
                Message reply = session.createTextMessage(Broker.text(request).toUpperCase());
                reply.setJMSCorrelationID(request.getJMSCorrelationID());
                replier.send(request.getJMSReplyTo(), reply);
            } catch (JMSException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    public static void requestorGetsReply(Broker broker) throws Exception {
        serve(broker, broker.session().createQueue(broker.queue()));
        try (QueueConnection connection = broker.factory().createQueueConnection()) {
            connection.start();
            QueueSession session = connection.createQueueSession(false, Session.AUTO_ACKNOWLEDGE);
            QueueRequestor requestor = new QueueRequestor(session, session.createQueue(broker.queue()));
            Broker.equal("PLEASE", Broker.text(requestor.request(session.createTextMessage("please"))), "body");
            requestor.close();
        }
    }

    public static void temporaryTopicTellsEverySubscriber(Broker broker) throws Exception {
        Session session = broker.session();
        TemporaryTopic topic = session.createTemporaryTopic();
        MessageConsumer one = session.createConsumer(topic);
        MessageConsumer other = session.createConsumer(topic);
        Broker.send(broker.session(), topic, "a", "b");
        Broker.receive(one, "a", "b");
        Broker.receive(other, "a", "b");
    }

    public static void temporaryQueueKeepsUntilReceived(Broker broker) throws Exception {
        Session session = broker.session();
        TemporaryQueue queue = session.createTemporaryQueue();
        Broker.send(broker.session(), queue, "early");
        Broker.receive(session.createConsumer(queue), "early");
    }

    public static void deletedTemporaryQueueIsGone(Broker broker) throws Exception {
        Session session = broker.session();
        TemporaryQueue queue = session.createTemporaryQueue();
        queue.delete();
        Broker.refused(JMSException.class, () -> Broker.send(broker.session(), queue, "to nobody"));
    }

    public static void temporaryQueueEndsWithItsConnection(Broker broker) throws Exception {
        Connection owner = broker.connect();
        TemporaryQueue queue = owner.createSession().createTemporaryQueue();
        Session other = broker.session();
        Broker.send(other, queue, "while it lasts");
        owner.close();
        Broker.refused(JMSException.class, () -> Broker.send(other, queue, "to nobody"));
    }

    private Requests() {}
}
