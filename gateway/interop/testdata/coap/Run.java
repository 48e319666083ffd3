import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * Runs every check and prints "PASS name" or "FAIL name: reason" for each. A check is a public static method of one of
 * the classes below that takes what it is told; its name is the claim.
 *
 * <p>usage: java Run COAP-HOST:PORT COAPS-HOST:PORT KEY AUTHORITY CERTIFICATE CERTIFICATE-KEY
 */
public final class Run {
    /** Where the gateway listens, the key of sensor1, and files with the certificates of an authority and of device. */
    record Told(InetSocketAddress plain, InetSocketAddress secure, String key, String authority, String certificate,
                String certificateKey) {}

    public static void main(String[] args) throws Exception {
        Told told = new Told(address(args[0]), address(args[1]), args[2], args[3], args[4], args[5]);
        boolean failed = false;
        for (Class<?> c : List.of(Plugtests.class, Lossy.class, Secure.class)) {
            Method[] methods = c.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method m : methods) {
                if (Modifier.isPublic(m.getModifiers())) {
                    failed |= !passes(c.getSimpleName() + "." + m.getName(), m, told);
                }
            }
        }
        System.out.flush();
        Runtime.getRuntime().halt(failed ? 1 : 0);
    }

    private static InetSocketAddress address(String text) {
        int colon = text.lastIndexOf(':');
        return new InetSocketAddress(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }

    private static boolean passes(String name, Method check, Told told) {
        try {
            check.invoke(null, told);
            System.out.println("PASS " + name);
            return true;
        } catch (InvocationTargetException | IllegalAccessException e) {
            StringWriter trace = new StringWriter();
            (e.getCause() == null ? e : e.getCause()).printStackTrace(new PrintWriter(trace));
            System.out.println("FAIL " + name + ": " + trace.toString().replace("\n", " | "));
            return false;
        }
    }

    static void want(Object want, Object got) {
        if (!Objects.deepEquals(want, got)) {
            throw new AssertionError("got " + got + ", want " + want);
        }
    }

    /** A body of so many bytes, no two neighbouring blocks of which are the same. */
    static byte[] body(int size) {
        byte[] body = new byte[size];
        for (int i = 0; i < size; i++) {
            body[i] = (byte) (i ^ i >> 8 ^ i / 251);
        }
        return body;
    }
}
