# RMySQL, and RODBC with MariaDB's driver. Neither binds parameters, nor reads bytes as they are.
arguments <- commandArgs(trailingOnly = TRUE)
client <- arguments[1]
asked <- setNames(as.list(arguments[-1]), c("TABLE", "PARAMETERS", "KEY", "SESSIONS", "TRIALS"))
env <- Sys.getenv(c("HOST", "PORT", "NAME", "PASS"))
if (client == "RMySQL") {
  suppressMessages(library(RMySQL))
  connection <- dbConnect(MySQL(),
    host = env["HOST"], port = as.integer(env["PORT"]), user = env["NAME"],
    password = env["PASS"], dbname = "ibl_behavior"
  )
  ask <- function(statement) suppressWarnings(dbGetQuery(connection, statement))
  is_listed <- function() asked$TABLE %in% dbListTables(connection)
} else {
  suppressMessages(library(RODBC))
  connection <- odbcDriverConnect(sprintf(
    "DRIVER=%s;SERVER=%s;PORT=%s;UID=%s;PWD=%s;DATABASE=ibl_behavior",
    "/usr/lib/x86_64-linux-gnu/odbc/libmaodbc.so", env["HOST"], env["PORT"], env["NAME"], env["PASS"]
  ))
  ask <- function(statement) sqlQuery(connection, statement, stringsAsFactors = FALSE)
  is_listed <- function() asked$TABLE %in% sqlTables(connection)$TABLE_NAME
}
written <- function(statement, ...) {
  for (value in list(...)) statement <- sub("?", value, statement, fixed = TRUE)
  statement
}
said <- function(step, answer) {
  if (is.character(answer) && inherits(connection, "RODBC")) stop(answer)
  file <- tempfile()
  writeLines(deparse(answer), file)
  cat("did", step, substr(tools::md5sum(file), 1, 16), substr(toString(answer), 1, 200), "\n")
}
said("connect", ask("select 1 + 1"))
said("list", is_listed())
said("describe", ask(paste0("describe ibl_behavior.", asked$TABLE))[3, ])
said("parameters", ask(written(asked$PARAMETERS, "'M'", 1, "'2018-01-01'")))
key <- ask("select hex(subject_uuid) from ibl_subject.subject order by 1 limit 1")[1, 1]
said("key", ask(written(asked$KEY, sprintf("x'%s'", key))))
said("sessions", ask(asked$SESSIONS))
said("trials", ask(asked$TRIALS))
