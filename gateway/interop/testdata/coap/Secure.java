import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.elements.DtlsEndpointContext;
import org.eclipse.californium.elements.exception.ConnectorException;
import org.eclipse.californium.util.nat.NioNatUtil;

/** Scandium's DTLS: keys, certificates, and connection ids behind a NAT that forgets. */
final class Secure {
    private Secure() {}

    /** A client of either kind, behind a NAT if the door is one. */
    private interface Clients {
        Client at(InetSocketAddress door) throws Exception;
    }

    public static void keyLogsIn(Run.Told told) throws Exception {
        exchanges(told, door -> Client.withKey(door, "sensor1", told.key()));
    }

    public static void keyInItsTenantLogsIn(Run.Told told) throws Exception {
        exchanges(told, door -> Client.withKey(door, "sensor1@default", told.key()));
    }

    public static void certificateLogsIn(Run.Told told) throws Exception {
        exchanges(told, door -> Client.withCertificate(door, told.authority(), told.certificate(), told.certificateKey()));
    }

    private static void exchanges(Run.Told told, Clients clients) throws Exception {
        try (Client client = clients.at(told.secure())) {
            for (int bytes : new int[] {5, 6_668, 200_000}) {
                client.want(ResponseCode.CHANGED, client.request(Type.CON, Code.POST, "/a/queues/secure", Run.body(bytes)));
                Run.want(Run.body(bytes), client.want(ResponseCode.CONTENT, Code.DELETE, "/q/queues/secure/head").getPayload());
            }
            client.wantEmpty("queues/secure");
        }
    }

    public static void wrongKeyIsRefused(Run.Told told) throws Exception {
        isRefused(Client.withKey(told.secure(), "sensor1", "sesame"));
    }

    public static void nobodyIsRefused(Run.Told told) throws Exception {
        isRefused(Client.withKey(told.secure(), "sensor2", told.key()));
    }

    private static void isRefused(Client client) throws Exception {
        try (client) {
            client.want(ResponseCode.CHANGED, Code.POST, "/a/queues/secure", "x");
        } catch (ConnectorException | IOException expected) {
            return;
        }
        throw new AssertionError("it was let in");
    }

    public static void keyedSessionMovesByConnectionId(Run.Told told) throws Exception {
        moves(told, door -> Client.withKey(door, "sensor1", told.key()));
    }

    public static void certifiedSessionMovesByConnectionId(Run.Told told) throws Exception {
        moves(told, door -> Client.withCertificate(door, told.authority(), told.certificate(), told.certificateKey()));
    }

    /** The client comes from another port each time, and its session and its observation go on without a handshake. */
    private static void moves(Run.Told told, Clients clients) throws Exception {
        String path = "/a/telemetry/moving";
        NioNatUtil nat = new NioNatUtil(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), told.secure());
        try (Client client = clients.at(nat.getProxySocketAddress()); Client other = Client.plain(told.plain())) {
            Client.Observation observed = client.observe(path);
            Object handshake = handshakeOf(observed.next());
            for (int i = 0; i < 5; i++) {
                nat.reassignNewLocalAddresses();
                client.want(ResponseCode.CHANGED, Code.POST, path, "moved " + i);
                observed.wantNext("moved " + i);
                other.want(ResponseCode.CHANGED, Code.POST, path, "heard " + i);
                CoapResponse heard = observed.next();
                Run.want("heard " + i, heard.getResponseText());
                Run.want(handshake, handshakeOf(heard));
            }
        } finally {
            nat.stop();
        }
    }

    /** When the handshake was that a response is protected by. */
    private static Object handshakeOf(CoapResponse response) {
        Object at = response.advanced().getSourceContext().get(DtlsEndpointContext.KEY_HANDSHAKE_TIMESTAMP);
        if (at == null) {
            throw new AssertionError("not over DTLS");
        }
        return at;
    }
}
