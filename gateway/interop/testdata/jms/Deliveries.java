import jakarta.jms.DeliveryMode;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.Topic;

/** When, and in which order, messages are delivered. */
final class Deliveries {
    public static void expiredMessageIsNotDelivered(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        producer.setTimeToLive(200);
        producer.send(session.createTextMessage("short-lived"));
        producer.setTimeToLive(60_000);
        Message lasting = session.createTextMessage("lasting");
        producer.send(lasting);
        Thread.sleep(400);
        MessageConsumer consumer = session.createConsumer(queue);
        Message m = Broker.take(consumer);
        Broker.equal("lasting", Broker.text(m), "body");
        Broker.equal(lasting.getJMSExpiration(), m.getJMSExpiration(), "expiration");
        Broker.nothing(consumer);
    }

    public static void durableSubscriberMissesWhatExpired(Broker broker) throws Exception {
        Session session = broker.connectAs(broker.client()).createSession();
        Topic topic = session.createTopic(broker.topic());
        session.createDurableConsumer(topic, "expiring").close();
        MessageProducer producer = session.createProducer(topic);
        producer.setTimeToLive(200);
        producer.send(session.createTextMessage("short-lived"));
        producer.setTimeToLive(0);
        producer.send(session.createTextMessage("lasting"));
        Thread.sleep(400);
        MessageConsumer consumer = session.createDurableConsumer(topic, "expiring");
        Broker.receive(consumer, "lasting");
        Broker.nothing(consumer);
        consumer.close();
        session.unsubscribe("expiring");
    }

    public static void higherPriorityComesFirst(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageProducer producer = session.createProducer(queue);
        for (int priority : new int[] {4, 0, 9, 5, 9, 4}) {
            producer.send(session.createTextMessage("priority " + priority), DeliveryMode.PERSISTENT, priority, 0);
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int priority : new int[] {9, 9, 5, 4, 4, 0}) {
            Message m = Broker.take(consumer);
            Broker.equal("priority " + priority, Broker.text(m), "body");
            Broker.equal(priority, m.getJMSPriority(), "priority");
        }
    }

    public static void delayedMessageComesLater(Broker broker) throws Exception {
        Session session = broker.session();
        Queue queue = session.createQueue(broker.queue());
        MessageConsumer consumer = session.createConsumer(queue);
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryDelay(1_000);
        long before = System.currentTimeMillis();
        Message delayed = session.createTextMessage("delayed");
        producer.send(delayed);
        producer.setDeliveryDelay(0);
        producer.send(session.createTextMessage("at once"));
        Broker.receive(consumer, "at once");
        Message m = Broker.take(consumer);
        Broker.equal("delayed", Broker.text(m), "body");
        Broker.equal(delayed.getJMSDeliveryTime(), m.getJMSDeliveryTime(), "delivery time");
        long took = System.currentTimeMillis() - before;
        Broker.that(took >= 990, "it came after " + took + " ms");
    }

    public static void delayedMessageComesLaterToSubscriber(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer consumer = session.createConsumer(topic);
        MessageProducer producer = session.createProducer(topic);
        producer.setDeliveryDelay(700);
        long before = System.currentTimeMillis();
        producer.send(session.createTextMessage("delayed"));
        Broker.nothing(consumer);
        Broker.receive(consumer, "delayed");
        long took = System.currentTimeMillis() - before;
        Broker.that(took >= 690, "it came after " + took + " ms");
    }

    private Deliveries() {}
}
