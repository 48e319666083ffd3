import java.util.HashMap;
import java.util.Map;

import org.apache.activemq.transport.stomp.Stomp;
import org.apache.activemq.transport.stomp.StompConnection;
import org.apache.activemq.transport.stomp.StompFrame;

/** ActiveMQ's own client for STOMP, with ActiveMQ's names of headers. */
final class ActiveMQConnection {
    private static final int PATIENCE = 20_000; // ms

    private static StompConnection open(Run.Doors doors, String... headers) throws Exception {
        StompConnection c = new StompConnection();
        c.open(doors.host(), doors.port());
        c.connect(map(headers));
        return c;
    }

    private static HashMap<String, String> map(String... pairs) {
        HashMap<String, String> m = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            m.put(pairs[i], pairs[i + 1]);
        }
        return m;
    }

    public static void commitsAndAborts(Run.Doors doors) throws Exception {
        StompConnection c = open(doors, "login", "guest", "passcode", "guest");
        c.begin("t1");
        c.send("/queue/queues/activemq", "dropped", "t1", null);
        c.abort("t1");
        c.begin("t2");
        c.send("/queue/queues/activemq", "kept", "t2", null);
        c.commit("t2");
        c.subscribe("/queue/queues/activemq", Stomp.Headers.Subscribe.AckModeValues.CLIENT);
        StompFrame m = c.receive(PATIENCE);
        Run.want("kept", m.getBody());
        c.begin("t3");
        c.ack(m, "t3");
        c.commit("t3");
        c.disconnect();
    }

    public static void keepsADurableSubscription(Run.Doors doors) throws Exception {
        Map<String, String> name = map("activemq.subscriptionName", "news", "receipt", "subscribed");
        for (String body : new String[] {"first", "second"}) {
            StompConnection c = open(doors, "client-id", "activemq-client");
            c.subscribe("/topic/telemetry/activemq", Stomp.Headers.Subscribe.AckModeValues.AUTO, new HashMap<>(name));
            Run.want("RECEIPT", c.receive(PATIENCE).getAction());
            if (body.equals("second")) {
                Run.want("second", c.receive(PATIENCE).getBody());
            }
            c.disconnect();
            if (body.equals("first")) {
                StompConnection sender = open(doors);
                HashMap<String, String> receipt = map("receipt", "sent");
                sender.send("/topic/telemetry/activemq", "second", null, receipt);
                Run.want("RECEIPT", sender.receive(PATIENCE).getAction());
                sender.disconnect();
            }
        }
    }

    public static void selects(Run.Doors doors) throws Exception {
        StompConnection c = open(doors);
        c.subscribe("/queue/queues/selected", Stomp.Headers.Subscribe.AckModeValues.AUTO, map("selector", "color = 'red'"));
        c.send("/queue/queues/selected", "blue", null, map("color", "blue"));
        c.send("/queue/queues/selected", "red", null, map("color", "red"));
        Run.want("red", c.receive(PATIENCE).getBody());
        c.disconnect();
    }
}
