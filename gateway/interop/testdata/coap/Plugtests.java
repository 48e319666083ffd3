import java.util.stream.Collectors;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.MediaTypeRegistry;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Token;

/**
 * The scenarios of the ETSI CoAP plugtests that are about a server, with the resources of the gateway in place of /test, /separate,
 * /large and /obs: what a topic keeps, the head of a queue that a message is waited for at, and observed topics. Each is called
 * as the plugtests call it. Those that do not apply: CORE_18 and CORE_19 want the path of what POST has made in its answer, and
 * sending makes nothing; CORE_24 to CORE_31 are of proxies; OBS_04 is of a client whose server has gone.
 */
final class Plugtests {
    private static final String TEST = "/a/telemetry/plugtest";
    private static final String QUEUE = "/a/queues/plugtest", HEAD = "/q/queues/plugtest/head";
    private static final int LARGE = 6_668, VERY_LARGE = 200_000;

    private Plugtests() {}

    /** CORE_01, 03, 05 and 07: PUT and GET, confirmable or not. */
    public static void core01putsAndGets(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            for (Type type : new Type[] {Type.CON, Type.NON}) {
                client.want(ResponseCode.CHANGED, client.request(type, Code.PUT, TEST, type.name().getBytes()));
                CoapResponse got = client.want(ResponseCode.CONTENT, client.request(type, Code.GET, TEST, null));
                Run.want(type.name(), got.getResponseText());
                Run.want(type == Type.CON ? Type.ACK : Type.NON, got.advanced().getType());
            }
        }
    }

    /** CORE_02, 04, 06 and 08: POST and DELETE, confirmable or not. */
    public static void core02postsAndDeletes(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            for (Type type : new Type[] {Type.CON, Type.NON}) {
                client.want(ResponseCode.CHANGED, client.request(type, Code.POST, QUEUE, type.name().getBytes()));
                CoapResponse got = client.want(ResponseCode.CONTENT, client.request(type, Code.DELETE, HEAD, null));
                Run.want(type.name(), got.getResponseText());
            }
            client.wantEmpty("queues/plugtest");
        }
    }

    /** CORE_09 and 11: a response of its own, to who has been told to wait. */
    public static void core09separateResponse(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            Request request = client.request(Type.CON, Code.POST, HEAD + "?timeout=2", null);
            CoapResponse got = client.want(ResponseCode.CHANGED, request);
            Run.want(Type.CON, got.advanced().getType());
            Run.want(true, request.isAcknowledged());
        }
    }

    /** CORE_10 and 12: with a token and without. */
    public static void core10tokens(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            client.want(ResponseCode.CHANGED, Code.PUT, TEST, "x");
            for (byte[] token : new byte[][] {{}, {1}, {1, 2, 3, 4, 5, 6, 7, 8}}) {
                Request request = client.request(Type.CON, Code.GET, TEST, null);
                request.setToken(new Token(token));
                Run.want(new Token(token), client.want(ResponseCode.CONTENT, request).advanced().getToken());
            }
        }
    }

    /** CORE_13 and 14: paths of several segments, and queries of several parameters. */
    public static void core13pathsAndQueries(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            String path = "/a/queues/seg1/seg2/seg%203";
            client.want(ResponseCode.CHANGED, Code.POST, path + "?priority=7&subject=first%20second&property=third=3", "x");
            CoapResponse got = client.want(ResponseCode.CONTENT, Code.DELETE, "/q/queues/seg1/seg2/seg%203/head?meta");
            String queries = String.join(" ", got.getOptions().getLocationQuery());
            for (String want : new String[] {"priority=7", "subject=first second", "property=third=3"}) {
                Run.want(true, queries.contains(want));
            }
        }
    }

    /** CORE_17: a response of its own to who did not ask for confirmation. */
    public static void core17separateResponseToNON(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            CoapResponse got = client.want(ResponseCode.CHANGED, client.request(Type.NON, Code.POST, HEAD, null));
            Run.want(Type.NON, got.advanced().getType());
        }
    }

    /** CORE_20: what the client accepts. */
    public static void core20accept(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            Request put = client.request(Type.CON, Code.PUT, TEST, "text".getBytes());
            put.getOptions().setContentFormat(MediaTypeRegistry.TEXT_PLAIN);
            client.want(ResponseCode.CHANGED, put);
            for (int format : new int[] {MediaTypeRegistry.TEXT_PLAIN, MediaTypeRegistry.APPLICATION_CBOR}) {
                Request get = client.request(Type.CON, Code.GET, TEST, null);
                get.getOptions().setAccept(format);
                client.want(format == MediaTypeRegistry.TEXT_PLAIN ? ResponseCode.CONTENT : ResponseCode.NOT_ACCEPTABLE, get);
            }
        }
    }

    /** CORE_21, 22 and 23: ETag, If-Match and If-None-Match. */
    public static void core21conditions(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            client.want(ResponseCode.CHANGED, Code.PUT, TEST, "first");
            byte[] first = client.want(ResponseCode.CONTENT, Code.GET, TEST).getOptions().getETags().get(0);
            Request get = client.request(Type.CON, Code.GET, TEST, null);
            get.getOptions().addETag(first);
            client.want(ResponseCode.VALID, get);
            for (ResponseCode want : new ResponseCode[] {ResponseCode.CHANGED, ResponseCode.PRECONDITION_FAILED}) {
                Request put = client.request(Type.CON, Code.PUT, TEST, "second".getBytes());
                put.getOptions().addIfMatch(first);
                client.want(want, put);
            }
            for (ResponseCode want : new ResponseCode[] {ResponseCode.CHANGED, ResponseCode.PRECONDITION_FAILED}) {
                Request put = client.request(Type.CON, Code.PUT, TEST + "/new", "x".getBytes());
                put.getOptions().setIfNoneMatch(true);
                client.want(want, put);
            }
        }
    }

    /** A ping (RFC 7252 section 4.3), and an option that is critical and unknown. */
    public static void core99pingAndCriticalOptions(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            Run.want(true, client.ping());
            Option critical = new Option(65001, new byte[] {1});
            client.want(ResponseCode.BAD_OPTION, client.request(Type.CON, Code.GET, TEST, null, critical));
            Request proxied = client.request(Type.CON, Code.GET, TEST, null);
            proxied.getOptions().setProxyUri("coap://127.0.0.1/x");
            client.want(ResponseCode.PROXY_NOT_SUPPORTED, proxied);
        }
    }

    /** LINK_01 to 09: discovery, and its filters. */
    public static void link01discovery(Run.Told told) throws Exception {
        try (Client client = Client.plain(told.plain())) {
            for (String[] c : new String[][] {
                {"", "</ps>", "</a/alerts>"}, {"?rt=manifold.broadcast", "</a/alerts>", ""}, {"?rt=manifold.*", "</a/alerts>", ""},
                {"?href=/ps", "</ps>", ""}, {"?ct=40", "</ps>", ""},
            }) {
                CoapResponse got = client.want(ResponseCode.CONTENT, Code.GET, "/.well-known/core" + c[0]);
                Run.want(MediaTypeRegistry.APPLICATION_LINK_FORMAT, got.getOptions().getContentFormat());
                Run.want(true, got.getResponseText().contains(c[1]) && got.getResponseText().contains(c[2]));
            }
        }
    }

    /** BLOCK_01, 02, 03 and 06: GET and PUT of what is large, in blocks of each size. */
    public static void block01large(Run.Told told) throws Exception {
        for (int size = 16; size <= 1024; size *= 2) {
            try (Client client = Client.plain(told.plain(), Client.configuration(size))) {
                for (int bytes : new int[] {LARGE, VERY_LARGE}) {
                    String path = TEST + "/large/" + size;
                    client.want(ResponseCode.CHANGED, client.request(Type.CON, Code.PUT, path, Run.body(bytes)));
                    Request get = client.request(Type.CON, Code.GET, path, null);
                    Run.want(Run.body(bytes), client.want(ResponseCode.CONTENT, get).getPayload());
                }
            }
        }
    }

    /** BLOCK_02 from an address that has proven nothing yet: the client does not say what it wants, nor knows Echo. */
    public static void block02largeFromAnUnprovenAddress(Run.Told told) throws Exception {
        String path = TEST + "/large/unproven";
        try (Client client = Client.plain(told.plain())) {
            client.want(ResponseCode.CHANGED, client.request(Type.CON, Code.PUT, path, Run.body(LARGE)));
        }
        try (Client client = Client.plain(told.plain())) {
            Run.want(Run.body(LARGE), client.want(ResponseCode.CONTENT, Code.GET, path).getPayload());
        }
    }

    /** BLOCK_04 and 05: POST of what is large, with a large answer. */
    public static void block04post(Run.Told told) throws Exception {
        for (int size = 16; size <= 1024; size *= 2) {
            try (Client client = Client.plain(told.plain(), Client.configuration(size))) {
                for (int bytes : new int[] {LARGE, VERY_LARGE}) {
                    client.want(ResponseCode.CHANGED, client.request(Type.CON, Code.POST, QUEUE, Run.body(bytes)));
                    CoapResponse got = client.want(ResponseCode.CONTENT, Code.POST, HEAD);
                    Run.want(Run.body(bytes), got.getPayload());
                    client.want(ResponseCode.DELETED, Code.DELETE, "/" + got.getOptions().getLocationPathString());
                }
                client.wantEmpty("queues/plugtest");
            }
        }
    }

    /** OBS_01, 02, 08, 09 and 10: notifications that are confirmable and not, of changes by others, and of a new format. */
    public static void obs01notifications(Run.Told told) throws Exception {
        String path = TEST + "/obs";
        try (Client observer = Client.plain(told.plain()); Client other = Client.plain(told.plain())) {
            Client.Observation observed = observer.observe(path);
            observed.wantNext("");
            for (int i = 0; i < 20; i++) {
                Type type = i % 2 == 0 ? Type.CON : Type.NON;
                Request request = other.request(type, Code.POST, path, ("" + i).getBytes());
                request.getOptions().setContentFormat(i % 3 == 0 ? MediaTypeRegistry.TEXT_PLAIN : MediaTypeRegistry.APPLICATION_JSON);
                other.want(ResponseCode.CHANGED, request);
                CoapResponse got = observed.next();
                Run.want("" + i, got.getResponseText());
                Run.want(type, got.advanced().getType());
                Run.want(request.getOptions().getContentFormat(), got.getOptions().getContentFormat());
            }
            other.want(ResponseCode.CHANGED, Code.PUT, path, "kept");
            observed.wantNext("kept");
            Run.want("kept", observer.want(ResponseCode.CONTENT, Code.GET, path).getResponseText());
            other.want(ResponseCode.CHANGED, Code.PUT, path, "still observed");
            observed.wantNext("still observed");
        }
    }

    /** OBS_05 and 06: a client that forgets answers with a Reset, and one that deregisters; neither hears more. */
    public static void obs05cancellation(Run.Told told) throws Exception {
        String path = TEST + "/obs/cancelled";
        try (Client observer = Client.plain(told.plain()); Client other = Client.plain(told.plain())) {
            for (boolean proactive : new boolean[] {true, false}) {
                Client.Observation observed = observer.observe(path);
                observed.next();
                if (proactive) {
                    observed.relation.proactiveCancel();
                } else {
                    observed.relation.reactiveCancel();
                }
                for (int i = 0; i < 3; i++) {
                    other.want(ResponseCode.CHANGED, Code.POST, path, "after the end");
                }
                Client.Observation again = observer.observe(path);
                again.next();
                other.want(ResponseCode.CHANGED, Code.POST, path, "anew");
                again.wantNext("anew");
                Run.want(0L, observed.came.stream().map(CoapResponse::getResponseText).filter("after the end"::equals)
                    .collect(Collectors.counting()));
                again.relation.proactiveCancel();
            }
        }
    }

    /** OBS_07: what is observed is deleted. */
    public static void obs07deletion(Run.Told told) throws Exception {
        String data = "/ps/data/telemetry/deleted";
        try (Client observer = Client.plain(told.plain()); Client other = Client.plain(told.plain())) {
            other.want(ResponseCode.CREATED, Code.PUT, data, "x");
            Client.Observation observed = observer.observe(data);
            observed.wantNext("x");
            other.want(ResponseCode.DELETED, Code.DELETE, data);
            Run.want(ResponseCode.NOT_FOUND, observed.next().getCode());
        }
    }

    /** OBS_11 and BLOCK: what is observed is large. */
    public static void obs11large(Run.Told told) throws Exception {
        String path = TEST + "/obs/large";
        try (Client observer = Client.plain(told.plain()); Client other = Client.plain(told.plain())) {
            Client.Observation observed = observer.observe(path);
            observed.next();
            other.want(ResponseCode.CHANGED, other.request(Type.CON, Code.PUT, path, Run.body(LARGE)));
            Run.want(Run.body(LARGE), observed.next().getPayload());
        }
    }
}
