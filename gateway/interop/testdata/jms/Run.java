import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Runs every check, or those whose names contain a text, and prints "PASS name" or "FAIL name: reason" for each.
 * A check is a public static method of one of the classes below that takes a Broker; its name is the claim.
 *
 * <p>usage: java Run HOST:PORT [TEXT]
 */
public final class Run {
    private static final List<Class<?>> CLASSES = List.of(
        Acknowledgements.class, Contexts.class, Deliveries.class, MessageTypes.class, Queues.class, Requests.class,
        Subscriptions.class, Transactions.class);
    private static final int PATIENCE_SECONDS = 30;

    public static void main(String[] args) throws Exception {
        String wanted = args.length > 1 ? args[1] : "";
        boolean failed = false;
        for (Class<?> c : CLASSES) {
            Method[] methods = c.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method m : methods) {
                String name = c.getSimpleName() + "." + m.getName();
                if (Modifier.isPublic(m.getModifiers()) && name.contains(wanted)) {
                    failed |= !passes(name, m, args[0]);
                }
            }
        }
        System.out.flush();
        Runtime.getRuntime().halt(failed ? 1 : 0); // threads of a check that hangs do not end
    }

    /** Runs one check in a thread of its own, and gives it up when it takes too long. */
    private static boolean passes(String name, Method check, String door) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(1);
        Thread thread = new Thread(() -> {
            try (Broker broker = new Broker(door, name)) {
                check.invoke(null, broker);
            } catch (InvocationTargetException e) {
                failure.set(e.getCause());
            } catch (Throwable e) {
                failure.set(e);
            }
            done.countDown();
        }, name);
        thread.setDaemon(true);
        thread.start();
        if (!done.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            AssertionError late = new AssertionError("not done after " + PATIENCE_SECONDS + " s");
            late.setStackTrace(thread.getStackTrace());
            failure.set(late);
            thread.interrupt();
        }
        Throwable e = failure.get();
        System.out.println(e == null ? "PASS " + name : "FAIL " + name + ": " + oneLine(e));
        return e == null;
    }

    /** Gives a failure with the lines of the checks that led to it. */
    private static String oneLine(Throwable e) {
        StringWriter text = new StringWriter();
        e.printStackTrace(new PrintWriter(text));
        StringBuilder line = new StringBuilder(e.toString().replace('\n', ' '));
        text.toString().lines().map(String::strip).filter(l -> l.matches("at [A-Z]\\w+\\.\\w+\\(.*"))
            .forEach(l -> line.append(' ').append(l));
        return line.toString();
    }
}
