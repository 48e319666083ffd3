import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.Queue;
import jakarta.jms.Topic;
import java.util.Map;

/** The simplified interface of JMS 2.0. */
final class Contexts {
    public static void bodiesPass(Broker broker) throws Exception {
        try (JMSContext context = broker.factory().createContext()) {
            Queue queue = context.createQueue(broker.queue());
            JMSConsumer consumer = context.createConsumer(queue);
            context.createProducer().setProperty("n", 7).send(queue, "text");
            context.createProducer().send(queue, new byte[] {1, 0, -1});
            context.createProducer().send(queue, Map.of("key", 42L));
            Broker.equal("text", consumer.receiveBody(String.class, Broker.PATIENCE), "text");
            Broker.equal(new byte[] {1, 0, -1}, consumer.receiveBody(byte[].class, Broker.PATIENCE), "bytes");
            Broker.equal(Map.of("key", 42L), consumer.receiveBody(Map.class, Broker.PATIENCE), "map");
        }
    }

    public static void transactedContextCommits(Broker broker) throws Exception {
        try (JMSContext context = broker.factory().createContext(JMSContext.SESSION_TRANSACTED);
            JMSContext other = context.createContext(JMSContext.AUTO_ACKNOWLEDGE)) {
            Queue queue = context.createQueue(broker.queue());
            JMSConsumer consumer = other.createConsumer(queue);
            context.createProducer().send(queue, "rolled back");
            context.rollback();
            context.createProducer().send(queue, "committed");
            context.commit();
            Broker.equal("committed", consumer.receiveBody(String.class, Broker.PATIENCE), "body");
            Broker.equal(null, consumer.receive(Broker.SILENCE), "what came then");
        }
    }

    public static void sharedDurableIsUnsubscribed(Broker broker) throws Exception {
        try (JMSContext context = broker.factory().createContext()) {
            Topic topic = context.createTopic(broker.topic());
            JMSConsumer consumer = context.createSharedDurableConsumer(topic, "of a context");
            context.createProducer().send(topic, "heard");
            Broker.equal("heard", consumer.receiveBody(String.class, Broker.PATIENCE), "body");
            consumer.close();
            context.unsubscribe("of a context");
        }
    }

    private Contexts() {}
}
