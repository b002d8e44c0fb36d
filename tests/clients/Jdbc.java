// MariaDB Connector/J: prepared on the server, bytes, rows and seconds at most, names with tables.
import java.security.MessageDigest;
import java.sql.*;
import java.util.*;

class Jdbc {
    static Connection connection;

    static void said(String step, Object answer) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(answer.toString().getBytes("UTF-8"));
        System.out.printf("did %s %x%x%x%x%n", step, digest[0], digest[1], digest[2], digest[3]);
    }

    static List<List<Object>> rows(ResultSet result) throws Exception {
        List<List<Object>> rows = new ArrayList<>();
        int n = result.getMetaData().getColumnCount();
        while (result.next()) {
            List<Object> row = new ArrayList<>();
            for (int i = 1; i <= n; i++) {
                Object value = result.getObject(i);
                row.add(value instanceof byte[] ? Arrays.toString((byte[]) value) : value);
                row.add(value == null ? "" : value.getClass().getName());
            }
            rows.add(row);
        }
        return rows;
    }

    static List<List<Object>> ask(String statement, Object... values) throws Exception {
        try (PreparedStatement prepared = connection.prepareStatement(statement)) {
            for (int i = 0; i < values.length; i++) {
                if (values[i] instanceof byte[]) prepared.setBytes(i + 1, (byte[]) values[i]);
                else prepared.setObject(i + 1, values[i]);
            }
            return rows(prepared.executeQuery());
        }
    }

    public static void main(String[] a) throws Exception {
        Map<String, String> env = System.getenv();
        String url = "jdbc:mariadb://" + env.get("HOST") + ":" + env.get("PORT") + "/ibl_behavior?useServerPrepStmts=true";
        connection = DriverManager.getConnection(url, env.get("NAME"), env.get("PASS"));
        said("connect", ask("select 1 + 1"));
        boolean found = false;
        ResultSet tables = connection.getMetaData().getTables("ibl_behavior", null, "%", null);
        while (tables.next()) found |= tables.getString("TABLE_NAME").equals(a[0]);
        said("list", found);
        ResultSet columns = connection.getMetaData().getColumns("ibl_behavior", null, a[0], "trial_id");
        columns.next();
        said("describe", columns.getString("TYPE_NAME") + columns.getInt("NULLABLE"));
        said("parameters", ask(a[1], "M", 1, java.sql.Date.valueOf("2018-01-01")));
        try (Statement statement = connection.createStatement()) {
            statement.setMaxRows(1);
            statement.setQueryTimeout(20);
            ResultSet mouse = statement.executeQuery("select s.subject_uuid, s.sex from ibl_subject.subject s order by 1");
            mouse.next();
            byte[] key = mouse.getBytes("s.subject_uuid");
            said("key", ask(a[2], (Object) key).toString() + mouse.getString("s.sex") + mouse.next());
        }
        said("sessions", ask(a[3]));
        said("trials", ask(a[4]));
        connection.setClientInfo("ApplicationName", "bench");
        connection.getClientInfo("ApplicationName");
        connection.close();
    }
}
