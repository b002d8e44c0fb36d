// database/sql with go-sql-driver: arguments are prepared on the server.
package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"

	_ "github.com/go-sql-driver/mysql"
)

var db *sql.DB

func said(step string, answer any) {
	written := fmt.Sprintf("%#v", answer)
	fmt.Printf("did %s %x\n", step, sha256.Sum256([]byte(written)))
}

func ask(statement string, values ...any) [][]any {
	rows, err := db.Query(statement, values...)
	if err != nil {
		panic(err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	found := [][]any{}
	for rows.Next() {
		row := make([]any, len(names))
		places := make([]any, len(names))
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			panic(err)
		}
		found = append(found, row)
	}
	return found
}

func main() {
	asked := map[string]string{}
	json.Unmarshal([]byte(os.Getenv("ASKED")), &asked)
	url := fmt.Sprintf("%s:%s@tcp(%s:%s)/ibl_behavior", os.Getenv("NAME"), os.Getenv("PASS"), os.Getenv("HOST"), os.Getenv("PORT"))
	db, _ = sql.Open("mysql", url)
	said("connect", ask("select 1 + 1"))
	said("list", len(ask("show tables from ibl_behavior like '_trial_set__trial'")))
	said("describe", ask("describe ibl_behavior." + asked["TABLE"])[3])
	said("parameters", ask(asked["PARAMETERS"], "M", 1, "2018-01-01"))
	key := ask("select subject_uuid from ibl_subject.subject order by 1 limit 1")[0][0]
	said("key", ask(asked["KEY"], key))
	said("sessions", ask(asked["SESSIONS"]))
	said("trials", ask(asked["TRIALS"]))
}
