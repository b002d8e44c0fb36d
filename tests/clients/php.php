<?php
// mysqli's prepared statements, and PDO without emulation.
[$client, $asked] = [$argv[1], json_decode(getenv("ASKED"), true)];
function said($step, $answer) {
    $written = var_export($answer, true);
    echo "did $step ", substr(hash("sha256", $written), 0, 16), " ", substr(json_encode($answer, JSON_PARTIAL_OUTPUT_ON_ERROR) ?: "", 0, 200), "\n";
}
[$host, $port, $name, $pass] = array_map("getenv", ["HOST", "PORT", "NAME", "PASS"]);
if ($client === "mysqli") {
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $connection = new mysqli($host, $name, $pass, "", (int) $port);
    $ask = function ($statement, ...$values) use ($connection) {
        $prepared = $connection->prepare($statement);
        $prepared->execute($values ?: null);
        return $prepared->get_result()->fetch_all();
    };
} else {
    $connection = new PDO("mysql:host=$host;port=$port", $name, $pass, [PDO::ATTR_EMULATE_PREPARES => false, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $ask = function ($statement, ...$values) use ($connection) {
        $prepared = $connection->prepare($statement);
        $prepared->execute($values);
        return $prepared->fetchAll(PDO::FETCH_NUM);
    };
}
said("connect", $ask("select 1 + 1"));
said("list", in_array([$asked["TABLE"]], $ask("show tables from ibl_behavior")));
said("describe", $ask("describe ibl_behavior." . $asked["TABLE"])[3]);
said("parameters", $ask($asked["PARAMETERS"], "M", 1, "2018-01-01"));
$key = $ask("select subject_uuid from ibl_subject.subject order by 1 limit 1")[0][0];
said("key", $ask($asked["KEY"], $key));
said("sessions", $ask($asked["SESSIONS"]));
said("trials", $ask($asked["TRIALS"]));
