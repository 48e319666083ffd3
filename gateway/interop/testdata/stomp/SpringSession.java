import java.lang.reflect.Type;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

import org.springframework.messaging.MessageDeliveryException;
import org.springframework.messaging.converter.StringMessageConverter;
import org.springframework.messaging.simp.stomp.ReactorNettyTcpStompClient;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/** Spring's StompSession, over TCP and over WebSocket. */
final class SpringSession {
    private static final int PATIENCE_SECONDS = 20;

    /** What a subscription gets, and what goes wrong. */
    private static final class Inbox extends StompSessionHandlerAdapter implements StompFrameHandler {
        final BlockingQueue<StompHeaders> headers = new LinkedBlockingQueue<>();
        final BlockingQueue<String> bodies = new LinkedBlockingQueue<>();
        final CompletableFuture<Throwable> fault = new CompletableFuture<>();

        @Override public Type getPayloadType(StompHeaders h) {
            return String.class;
        }

        @Override public void handleFrame(StompHeaders h, Object payload) {
            headers.add(h);
            bodies.add((String) payload);
        }

        @Override public void handleException(
                StompSession s, StompCommand c, StompHeaders h, byte[] payload, Throwable e) {
            fault.complete(e);
        }

        @Override public void handleTransportError(StompSession s, Throwable e) {
            fault.complete(e);
        }

        String next() throws Exception {
            String body = bodies.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (body == null) {
                throw new AssertionError("nothing came; fault " + fault.getNow(null));
            }
            return body;
        }
    }

    private static ThreadPoolTaskScheduler scheduler() {
        ThreadPoolTaskScheduler s = new ThreadPoolTaskScheduler();
        s.setDaemon(true);
        s.initialize();
        return s;
    }

    private static StompSession overTCP(Run.Doors doors, Inbox inbox) throws Exception {
        ReactorNettyTcpStompClient client = new ReactorNettyTcpStompClient(doors.host(), doors.port());
        client.setMessageConverter(new StringMessageConverter());
        client.setTaskScheduler(scheduler());
        return client.connectAsync(inbox).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private static StompSession overWebSocket(Run.Doors doors, Inbox inbox) throws Exception {
        WebSocketStompClient client = new WebSocketStompClient(new StandardWebSocketClient());
        client.setMessageConverter(new StringMessageConverter());
        client.setTaskScheduler(scheduler());
        return client.connectAsync("ws://" + doors.web() + "/stomp", inbox).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    public static void hearsATopicOverTCP(Run.Doors doors) throws Exception {
        Inbox inbox = new Inbox();
        hearsATopic(overTCP(doors, inbox), inbox);
    }

    public static void hearsATopicOverWebSocket(Run.Doors doors) throws Exception {
        Inbox inbox = new Inbox();
        hearsATopic(overWebSocket(doors, inbox), inbox);
    }

    private static void hearsATopic(StompSession session, Inbox inbox) throws Exception {
        session.setAutoReceipt(true);
        subscribed(session.subscribe("/topic/telemetry/spring", inbox));
        received(session.send("/topic/telemetry/spring", "größe: 21,5"));
        Run.want("größe: 21,5", inbox.next());
        leave(session);
    }

    /** Tyrus arms a timer behind each write, also when the server has answered DISCONNECT and hung up by then. */
    private static void leave(StompSession session) {
        try {
            session.disconnect();
        } catch (MessageDeliveryException e) {
            if (!(e.getCause() instanceof RejectedExecutionException)) {
                throw e;
            }
        }
    }

    public static void acknowledgesOneByOne(Run.Doors doors) throws Exception {
        Inbox first = new Inbox();
        StompSession session = overTCP(doors, first);
        session.setAutoReceipt(true);
        for (String body : new String[] {"1", "2"}) {
            StompHeaders h = new StompHeaders();
            h.setDestination("/queue/queues/spring");
            h.set("color", "red:blue");
            received(session.send(h, body));
        }
        StompHeaders h = new StompHeaders();
        h.setDestination("/queue/queues/spring");
        h.setAck("client-individual");
        subscribed(session.subscribe(h, first));
        Run.want("1", first.next());
        Run.want("2", first.next());
        Run.want("red:blue", first.headers.take().getFirst("color"));
        received(session.acknowledge(first.headers.take().getAck(), true)); // the second; the first stays
        leave(session);

        Inbox second = new Inbox();
        session = overTCP(doors, second);
        session.subscribe("/queue/queues/spring", second);
        Run.want("1", second.next());
        Run.want("true", second.headers.take().getFirst("redelivered"));
        leave(session);
    }

    private static void subscribed(StompSession.Subscription s) throws Exception {
        received(s);
    }

    /** Waits for a receipt. */
    private static void received(StompSession.Receiptable r) throws Exception {
        CompletableFuture<Boolean> came = new CompletableFuture<>();
        r.addReceiptTask(() -> came.complete(true));
        r.addReceiptLostTask(() -> came.complete(false));
        Run.want(true, came.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
    }
}
