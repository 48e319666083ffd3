import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapHandler;
import org.eclipse.californium.core.CoapObserveRelation;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.CoAP.Type;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.elements.config.UdpConfig;
import org.eclipse.californium.elements.util.SslContextUtil;
import org.eclipse.californium.scandium.DTLSConnector;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.californium.scandium.config.DtlsConnectorConfig;
import org.eclipse.californium.scandium.dtls.CertificateType;
import org.eclipse.californium.scandium.dtls.pskstore.AdvancedSinglePskStore;
import org.eclipse.californium.scandium.dtls.x509.SingleCertificateProvider;
import org.eclipse.californium.scandium.dtls.x509.StaticNewAdvancedCertificateVerifier;

/** A client of Californium with an endpoint of its own, for one check. */
final class Client implements AutoCloseable {
    private static final int LARGEST_BODY = 1 << 20;
    private static final long PATIENCE = 30_000; // milliseconds

    static {
        CoapConfig.register();
        UdpConfig.register();
        DtlsConfig.register();
    }

    private final CoapClient client = new CoapClient();
    private final CoapEndpoint endpoint;
    private final String base;

    private Client(String base, CoapEndpoint endpoint) {
        this.base = base;
        this.endpoint = endpoint;
        client.setEndpoint(endpoint).setTimeout(PATIENCE);
    }

    /** How Californium is set up where its defaults are too narrow; blocks are of this size. */
    static Configuration configuration(int blockSize) {
        return Configuration.createStandardWithoutFile()
            .set(CoapConfig.MAX_RESOURCE_BODY_SIZE, LARGEST_BODY)
            .set(CoapConfig.MAX_MESSAGE_SIZE, blockSize)
            .set(CoapConfig.PREFERRED_BLOCK_SIZE, blockSize);
    }

    static Client plain(InetSocketAddress door) {
        return plain(door, configuration(1024));
    }

    static Client plain(InetSocketAddress door, Configuration configuration) {
        CoapEndpoint endpoint = CoapEndpoint.builder().setConfiguration(configuration).build();
        return new Client("coap://127.0.0.1:" + door.getPort(), endpoint);
    }

    /** One that supports connection ids, the server's. */
    static Client withKey(InetSocketAddress door, String identity, String key) {
        DtlsConnectorConfig.Builder dtls = dtls();
        dtls.setAdvancedPskStore(new AdvancedSinglePskStore(identity, key.getBytes()));
        return secure(door, dtls);
    }

    static Client withCertificate(InetSocketAddress door, String authority, String certificate, String key) throws Exception {
        Path both = Files.createTempFile("client", ".pem");
        both.toFile().deleteOnExit();
        Files.writeString(both, Files.readString(Path.of(certificate)) + Files.readString(Path.of(key)));
        SslContextUtil.Credentials own = SslContextUtil.loadCredentials(both.toString());
        DtlsConnectorConfig.Builder dtls = dtls();
        dtls.setCertificateIdentityProvider(
            new SingleCertificateProvider(own.getPrivateKey(), own.getCertificateChain(), CertificateType.X_509));
        dtls.setAdvancedCertificateVerifier(StaticNewAdvancedCertificateVerifier.builder()
            .setTrustedCertificates(SslContextUtil.loadTrustedCertificates(authority))
            .setSupportedCertificateTypes(Arrays.asList(CertificateType.X_509)).build());
        return secure(door, dtls);
    }

    private static DtlsConnectorConfig.Builder dtls() {
        return DtlsConnectorConfig.builder(configuration(1024))
            .set(DtlsConfig.DTLS_ROLE, DtlsConfig.DtlsRole.CLIENT_ONLY)
            .set(DtlsConfig.DTLS_CONNECTION_ID_LENGTH, 0);
    }

    private static Client secure(InetSocketAddress door, DtlsConnectorConfig.Builder dtls) {
        CoapEndpoint endpoint = CoapEndpoint.builder().setConfiguration(configuration(1024))
            .setConnector(new DTLSConnector(dtls.build())).build();
        return new Client("coaps://127.0.0.1:" + door.getPort(), endpoint);
    }

    @Override
    public void close() {
        client.shutdown();
        endpoint.destroy();
    }

    boolean ping() {
        return client.setURI(base).ping(PATIENCE);
    }

    /** A request to a path, which may have a query. */
    Request request(Type type, Code code, String path, byte[] body, Option... options) {
        Request request = new Request(code, type);
        request.setURI(URI.create(base + path).toString());
        if (body != null) {
            request.setPayload(body);
        }
        for (Option option : options) {
            request.getOptions().addOption(option);
        }
        return request;
    }

    CoapResponse ask(Request request) throws Exception {
        CoapResponse response = client.advanced(request);
        if (response == null) {
            throw new AssertionError("no answer to " + request);
        }
        return response;
    }

    CoapResponse want(ResponseCode code, Request request) throws Exception {
        CoapResponse response = ask(request);
        if (response.getCode() != code) {
            throw new AssertionError("got " + response.getCode() + " " + response.getResponseText() + ", want " + code
                + " to " + request.getCode() + " " + request.getURI());
        }
        return response;
    }

    CoapResponse want(ResponseCode code, Code method, String path, String body) throws Exception {
        return want(code, request(Type.CON, method, path, body == null ? null : body.getBytes()));
    }

    CoapResponse want(ResponseCode code, Code method, String path) throws Exception {
        return want(code, method, path, null);
    }

    /** Checks that a queue has nothing left. */
    void wantEmpty(String queue) throws Exception {
        want(ResponseCode.CHANGED, Code.POST, "/q/" + queue + "/head?timeout=0");
    }

    Observation observe(String path) {
        return new Observation(client, request(Type.CON, Code.GET, path, null));
    }

    /** What comes of an observation, in its order. */
    static final class Observation implements CoapHandler {
        final BlockingQueue<CoapResponse> came = new LinkedBlockingQueue<>();
        final CoapObserveRelation relation;

        private Observation(CoapClient client, Request request) {
            request.setObserve();
            relation = client.observe(request, this);
        }

        @Override
        public void onLoad(CoapResponse response) {
            came.add(response);
        }

        @Override
        public void onError() {
            // Whoever waits for what should come says so.
        }

        CoapResponse next() throws InterruptedException {
            CoapResponse response = came.poll(PATIENCE, TimeUnit.MILLISECONDS);
            if (response == null) {
                throw new AssertionError("no notification came");
            }
            return response;
        }

        void wantNext(String body) throws InterruptedException {
            Run.want(body, next().getResponseText());
        }
    }
}
