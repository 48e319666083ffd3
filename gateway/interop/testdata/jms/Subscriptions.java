import jakarta.jms.Connection;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Topics, with every sort of subscription that JMS 2.0 has. */
final class Subscriptions {
    public static void everySubscriberHears(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer one = broker.session().createConsumer(topic);
        MessageConsumer other = broker.session().createConsumer(topic);
        Broker.send(session, topic, "a", "b");
        Broker.receive(one, "a", "b");
        Broker.receive(other, "a", "b");
        one.close();
        Broker.send(session, topic, "c");
        Broker.receive(other, "c");
    }

    public static void lateSubscriberMissesWhatWas(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        Broker.send(session, topic, "missed");
        MessageConsumer consumer = session.createConsumer(topic);
        Broker.nothing(consumer);
        Broker.send(session, topic, "heard");
        Message m = Broker.take(consumer);
        Broker.equal("heard", Broker.text(m), "body");
        Broker.equal(topic, m.getJMSDestination(), "destination");
    }

    public static void selectorChooses(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer even = session.createConsumer(topic, "even = TRUE");
        sendNumbers(session, topic, 0, 4);
        Broker.receive(even, "number 0", "number 2");
        Broker.nothing(even);
    }

    /** Sends numbered messages, of which the property "even" tells whether they are. */
    private static void sendNumbers(Session session, Topic topic, int from, int to) throws JMSException {
        try (MessageProducer producer = session.createProducer(topic)) {
            for (int i = from; i < to; i++) {
                Message m = session.createTextMessage("number " + i);
                m.setBooleanProperty("even", i % 2 == 0);
                producer.send(m);
            }
        }
    }

    public static void noLocalLeavesOutOwn(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer others = session.createConsumer(topic, null, true);
        Broker.send(session, topic, "own");
        Broker.send(broker.session(), topic, "of another");
        Broker.receive(others, "of another");
        Broker.nothing(others);
    }

    public static void durableSurvivesReconnect(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Connection before = broker.connectAs(broker.client());
        MessageConsumer consumer = before.createSession().createDurableConsumer(topic, "kept");
        Broker.send(sender, topic, "a");
        Broker.receive(consumer, "a");
        before.close();
        Broker.send(sender, topic, "b", "c");
        Connection after = broker.connectAs(broker.client());
        Session session = after.createSession();
        MessageConsumer again = session.createDurableConsumer(topic, "kept");
        Broker.receive(again, "b", "c");
        Broker.nothing(again);
        again.close();
        session.unsubscribe("kept");
    }

    public static void durableSurvivesClosedConsumer(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Session session = broker.connectAs(broker.client()).createSession();
        session.createDurableConsumer(topic, "kept").close();
        Broker.send(sender, topic, "a");
        MessageConsumer again = session.createDurableConsumer(topic, "kept");
        Broker.receive(again, "a");
        again.close();
        session.unsubscribe("kept");
    }

    public static void unsubscribedDurableIsGone(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Session session = broker.connectAs(broker.client()).createSession();
        session.createDurableConsumer(topic, "left").close();
        session.unsubscribe("left");
        Broker.send(sender, topic, "missed");
        MessageConsumer anew = session.createDurableConsumer(topic, "left");
        Broker.nothing(anew);
        anew.close();
        session.unsubscribe("left");
    }

    public static void unknownDurableCannotBeUnsubscribed(Broker broker) throws Exception {
        Session session = broker.connectAs(broker.client()).createSession();
        Broker.refused(InvalidDestinationException.class, () -> session.unsubscribe("unknown"));
        Broker.send(session, session.createTopic(broker.topic()), "the session goes on");
    }

    public static void durableInUseCannotBeUnsubscribed(Broker broker) throws Exception {
        Session session = broker.connectAs(broker.client()).createSession();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer consumer = session.createDurableConsumer(topic, "used");
        Broker.refused(JMSException.class, () -> session.unsubscribe("used"));
        Broker.send(session, topic, "still heard");
        Broker.receive(consumer, "still heard");
        consumer.close();
        session.unsubscribe("used");
    }

    public static void durableSelects(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Session session = broker.connectAs(broker.client()).createSession();
        session.createDurableConsumer(topic, "even", "even = TRUE", false).close();
        sendNumbers(sender, topic, 0, 4);
        MessageConsumer again = session.createDurableConsumer(topic, "even", "even = TRUE", false);
        Broker.receive(again, "number 0", "number 2");
        Broker.nothing(again);
        again.close();
        session.unsubscribe("even");
    }

    /** JMS 2.0, section 8.3.3.1: changing the selector is like unsubscribing and making a new subscription. */
    public static void otherSelectorMakesDurableAnew(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Session session = broker.connectAs(broker.client()).createSession();
        session.createDurableConsumer(topic, "changed", "even = TRUE", false).close();
        sendNumbers(sender, topic, 0, 4);
        MessageConsumer odd = session.createDurableConsumer(topic, "changed", "even = FALSE", false);
        Broker.nothing(odd);
        sendNumbers(sender, topic, 4, 8);
        Broker.receive(odd, "number 5", "number 7");
        Broker.nothing(odd);
        odd.close();
        session.unsubscribe("changed");
    }

    /** As above, for another topic. */
    public static void otherTopicMakesDurableAnew(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic former = sender.createTopic(broker.topic() + "/a");
        Topic topic = sender.createTopic(broker.topic() + "/b");
        Session session = broker.connectAs(broker.client()).createSession();
        session.createDurableConsumer(former, "changed").close();
        Broker.send(sender, former, "missed");
        MessageConsumer consumer = session.createDurableConsumer(topic, "changed");
        Broker.send(sender, former, "missed as well");
        Broker.send(sender, topic, "heard");
        Broker.receive(consumer, "heard");
        Broker.nothing(consumer);
        consumer.close();
        session.unsubscribe("changed");
    }

    public static void sharedConsumersCompete(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Session session = broker.session();
        MessageConsumer one = session.createSharedConsumer(topic, "shared");
        MessageConsumer other = session.createSharedConsumer(topic, "shared");
        MessageConsumer alone = broker.session().createConsumer(topic);
        compete(sender, topic, one, other);
        Broker.receive(alone, "a", "b", "c", "d");
    }

    public static void sharedConsumersOfSeveralConnectionsCompete(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        compete(sender, topic, broker.session().createSharedConsumer(topic, "shared"),
            broker.session().createSharedConsumer(topic, "shared"));
    }

    /** JMS 2.0, section 8.3.4: a shared subscription is named within its client identifier. */
    public static void sharedSubscriptionsOfTwoClientsAreTwo(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Session a = broker.connectAs("a" + broker.client()).createSession();
        Session b = broker.connectAs("b" + broker.client()).createSession();
        MessageConsumer one = a.createSharedConsumer(topic, "shared");
        MessageConsumer other = b.createSharedConsumer(topic, "shared");
        MessageConsumer global = broker.session().createSharedConsumer(topic, "shared");
        Broker.send(sender, topic, "a", "b");
        for (MessageConsumer consumer : List.of(one, other, global)) {
            Broker.receive(consumer, "a", "b");
        }
    }

    private static void compete(Session sender, Topic topic, MessageConsumer one, MessageConsumer other)
        throws JMSException {
        Broker.send(sender, topic, "a", "b", "c", "d");
        List<String> got = new ArrayList<>();
        for (MessageConsumer consumer : List.of(one, other, one, other)) {
            got.add(Broker.text(Broker.take(consumer)));
        }
        Collections.sort(got);
        Broker.equal(List.of("a", "b", "c", "d"), got, "what both received");
        Broker.nothing(one);
        Broker.nothing(other);
    }

    public static void sharedEndsWithLastConsumer(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer first = session.createSharedConsumer(topic, "shared");
        MessageConsumer last = session.createSharedConsumer(topic, "shared");
        first.close();
        Broker.send(session, topic, "heard");
        Broker.receive(last, "heard");
        last.close();
        Broker.send(session, topic, "missed");
        Broker.nothing(session.createSharedConsumer(topic, "shared"));
    }

    public static void sharedSelects(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer even = session.createSharedConsumer(topic, "even", "even = TRUE");
        sendNumbers(session, topic, 0, 4);
        Broker.receive(even, "number 0", "number 2");
        Broker.nothing(even);
    }

    public static void sharedDurableSurvivesReconnect(Broker broker) throws Exception {
        sharedDurable(broker, broker.client());
    }

    public static void globalSharedDurableSurvivesReconnect(Broker broker) throws Exception {
        sharedDurable(broker, null);
    }

    private static void sharedDurable(Broker broker, String client) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        String name = "kept by " + client;
        Connection before = broker.connectAs(client);
        MessageConsumer first = before.createSession().createSharedDurableConsumer(topic, name);
        Broker.send(sender, topic, "heard");
        Broker.receive(first, "heard");
        before.close();
        Broker.send(sender, topic, "kept");
        Session session = broker.connectAs(client).createSession();
        MessageConsumer one = session.createSharedDurableConsumer(topic, name);
        Broker.receive(one, "kept");
        MessageConsumer other = session.createSharedDurableConsumer(topic, name);
        compete(sender, topic, one, other);
        one.close();
        other.close();
        session.unsubscribe(name);
        Broker.send(sender, topic, "missed");
        MessageConsumer anew = session.createSharedDurableConsumer(topic, name);
        Broker.nothing(anew);
        anew.close();
        session.unsubscribe(name);
    }

    public static void sharedDurableOfSeveralConnectionsCompetes(Broker broker) throws Exception {
        Session sender = broker.session();
        Topic topic = sender.createTopic(broker.topic());
        Session session = broker.session();
        MessageConsumer one = session.createSharedDurableConsumer(topic, "global of several");
        MessageConsumer other = broker.session().createSharedDurableConsumer(topic, "global of several");
        compete(sender, topic, one, other);
        one.close();
        other.close();
        session.unsubscribe("global of several");
    }

    public static void sharedDurableInUseCannotBeUnsubscribed(Broker broker) throws Exception {
        Session session = broker.session();
        Topic topic = session.createTopic(broker.topic());
        MessageConsumer consumer = session.createSharedDurableConsumer(topic, "global in use");
        Broker.refused(JMSException.class, () -> broker.session().unsubscribe("global in use"));
        consumer.close();
        session.unsubscribe("global in use");
    }

    private Subscriptions() {}
}
