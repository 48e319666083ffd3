import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Runs every check and prints "PASS name" or "FAIL name: reason" for each. A check is a public static method of one of
 * the classes below that takes the doors; its name is the claim.
 *
 * <p>usage: java Run STOMP-HOST:PORT HTTP-HOST:PORT
 */
public final class Run {
    /** Where the gateway listens. */
    record Doors(String host, int port, String web) {}

    public static void main(String[] args) throws Exception {
        int colon = args[0].lastIndexOf(':');
        Doors doors = new Doors(args[0].substring(0, colon), Integer.parseInt(args[0].substring(colon + 1)), args[1]);
        boolean failed = false;
        for (Class<?> c : List.of(SpringSession.class, ActiveMQConnection.class)) {
            Method[] methods = c.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method m : methods) {
                if (Modifier.isPublic(m.getModifiers())) {
                    failed |= !passes(c.getSimpleName() + "." + m.getName(), m, doors);
                }
            }
        }
        System.out.flush();
        Runtime.getRuntime().halt(failed ? 1 : 0);
    }

    private static boolean passes(String name, Method check, Doors doors) {
        try {
            check.invoke(null, doors);
            System.out.println("PASS " + name);
            return true;
        } catch (InvocationTargetException | IllegalAccessException e) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            System.out.println("FAIL " + name + ": " + trace.toString().replace("\n", " | "));
            return false;
        }
    }

    static void want(Object want, Object got) {
        if (!want.equals(got)) {
            throw new AssertionError("got " + got + ", want " + want);
        }
    }
}
