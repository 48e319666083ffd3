import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.util.nat.NioNatUtil;

/** CORE_15 and 16 of the plugtests: with a network that loses a fifth of the datagrams in each direction. */
final class Lossy {
    private static final int LOSS = 20; // in a hundred

    private Lossy() {}

    public static void core15everythingOnce(Run.Told told) throws Exception {
        NioNatUtil network = new NioNatUtil(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), told.plain());
        network.setMessageDropping(LOSS);
        Configuration impatient = Client.configuration(64)
            .set(CoapConfig.ACK_TIMEOUT, 100, TimeUnit.MILLISECONDS)
            .set(CoapConfig.ACK_TIMEOUT_SCALE, 1.2f)
            .set(CoapConfig.MAX_RETRANSMIT, 20);
        try (Client lossy = Client.plain(network.getProxySocketAddress(), impatient); Client direct = Client.plain(told.plain())) {
            Set<String> sent = new HashSet<>(), got = new HashSet<>();
            for (int i = 0; i < 30; i++) {
                String body = "lossy " + i + " " + "x".repeat(200);
                lossy.want(ResponseCode.CHANGED, Code.POST, "/a/queues/lossy", body);
                sent.add(body);
            }
            for (int i = 0; i < 30; i++) {
                got.add(direct.want(ResponseCode.CONTENT, Code.DELETE, "/q/queues/lossy/head").getResponseText());
            }
            Run.want(sent, got);
            direct.wantEmpty("queues/lossy");
        } finally {
            network.stop();
        }
    }
}
