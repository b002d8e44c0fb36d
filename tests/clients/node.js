// mysql2 and mariadb, with parameters in prepared statements.
const { createHash } = require("crypto");
const client = process.argv[2];
const { HOST, PORT, NAME, PASS } = process.env;
const asked = JSON.parse(process.env.ASKED);
const said = (step, answer) => {
  const written = JSON.stringify(answer, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
  console.log("did", step, createHash("sha256").update(written).digest("hex").slice(0, 16), written.slice(0, 200));
};
(async () => {
  const options = { host: HOST, port: Number(PORT), user: NAME, password: PASS };
  const connection = client === "mysql2"
    ? await require("mysql2/promise").createConnection(options)
    : await require("mariadb").createConnection(options);
  const ask = async (statement, ...values) => {
    if (client === "mysql2") return (await connection.execute(statement, values))[0];
    return [...(await connection.execute(statement, values))];
  };
  said("connect", await ask("select 1 + 1 as two"));
  said("list", JSON.stringify(await ask("show tables from ibl_behavior")).includes(asked.TABLE));
  said("describe", (await ask(`describe ibl_behavior.${asked.TABLE}`))[3]);
  said("parameters", await ask(asked.PARAMETERS, "M", 1, new Date("2018-01-01T00:00:00")));
  const [mouse] = await ask("select subject_uuid from ibl_subject.subject order by 1 limit 1");
  said("key", await ask(asked.KEY, mouse.subject_uuid));
  said("sessions", await ask(asked.SESSIONS));
  said("trials", await ask(asked.TRIALS));
  await connection.end();
})().catch((error) => { console.error(error); process.exit(1); });
