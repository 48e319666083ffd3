import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;

import org.apache.qpid.jms.JmsConnectionFactory;

/**
 * Connects with Qpid JMS, once for each three arguments URL, USER and PASSWORD, and says for each whether it was let in.
 */
public class Login {
    public static void main(String[] args) {
        for (int i = 0; i + 2 < args.length; i += 3) {
            System.out.println(attempt(args[i], args[i + 1], args[i + 2]));
        }
    }

    private static String attempt(String url, String user, String password) {
        try (Connection connection = new JmsConnectionFactory(url).createConnection(user, password)) {
            connection.start();
            return "in";
        } catch (JMSSecurityException e) {
            return "refused";
        } catch (JMSException e) {
            return "failed: " + e.getMessage();
        }
    }
}
